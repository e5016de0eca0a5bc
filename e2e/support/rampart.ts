// The product's binary, run as a user would.

import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run, Running, type Finished, type ProcessOptions } from './processes.ts';

export type RampartOptions = Omit<ProcessOptions, 'input'> & {
  /** How long it may take until it listens, in milliseconds. */
  readyWithin?: number;
};

const fromVariable = process.env['RAMPART_BIN'];
const binary = fromVariable ? resolve(fromVariable) : fileURLToPath(new URL('../../target/debug/rampart', import.meta.url));

/** Runs a command such as `scan` or `rbac` to its end, whatever its exit code. */
export function runRampart(args: string[], options: ProcessOptions = {}): Promise<Finished> {
  return run(binary, args, { ...options, env: environment(options.env) });
}

/** A `rampart serve` that listens. */
export class Rampart {
  /** `http://127.0.0.1:PORT` */
  readonly address: string;
  readonly #process: Running;

  private constructor(process: Running, address: string) {
    this.#process = process;
    this.address = address;
  }

  /** Starts it with these arguments (`serve --listen 127.0.0.1:0 …`) and waits until it says where it listens. */
  static async start(args: string[], options: RampartOptions = {}): Promise<Rampart> {
    const { readyWithin = 30_000, ...processOptions } = options;
    const process = new Running(binary, args, { ...processOptions, env: environment(options.env) });
    const address = await process.line('it says where it listens', readyWithin, (line) => line.match(/http:\/\/127\.0\.0\.1:\d+/)?.[0]);
    return new Rampart(process, address);
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** Everything that it has printed and logged so far. */
  get output(): string {
    return this.#process.output;
  }

  stop(): Promise<Finished> {
    return this.#process.stop(15_000);
  }
}

/** Only what a program needs to run: no KUBECONFIG and no RAMPART_ setting of the person who runs the tests gets in. */
function environment(added: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const { PATH, HOME, TMPDIR } = process.env;
  return { PATH, HOME, TMPDIR, ...added };
}
