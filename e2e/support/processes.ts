// Running programs: to their end, or until they have said a certain line.

import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

export type Finished = { code: number | null; signal: NodeJS.Signals | null; stdout: string; stderr: string };

export type ProcessOptions = {
  env?: NodeJS.ProcessEnv;
  /** Text for standard input, which is else empty. */
  input?: string;
  cwd?: string;
};

/** Runs a program to its end, whatever its exit code. */
export async function run(program: string, args: string[], options: ProcessOptions = {}): Promise<Finished> {
  const child = spawn(program, args, { env: options.env, cwd: options.cwd, stdio: 'pipe' });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  child.stdin.on('error', () => {}); // a program may end without having read its input
  child.stdin.end(options.input ?? '');
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}

/** A program that keeps running. All that it says is kept, and its standard input stays open as long as we live. */
export class Running {
  readonly #child: ChildProcess;
  readonly #program: string;
  readonly #ended: Promise<Finished>;
  readonly #watchers = new Set<(line: string) => void>();
  #stdout = '';
  #stderr = '';

  constructor(program: string, args: string[], options: Omit<ProcessOptions, 'input'> = {}) {
    this.#program = program;
    const child = spawn(program, args, { env: options.env, cwd: options.cwd, stdio: 'pipe' });
    this.#child = child;
    child.stdin.on('error', () => {});
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.#stdout += `${line}\n`;
      this.#tell(line);
    });
    createInterface({ input: child.stderr }).on('line', (line) => {
      this.#stderr += `${line}\n`;
      this.#tell(line);
    });
    this.#ended = new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => resolve({ code, signal, stdout: this.#stdout, stderr: this.#stderr }));
    });
    this.#ended.catch(() => {}); // whoever waits for it gets the error
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error(`${this.#program} did not start`);
    return this.#child.pid;
  }

  /** What it has written so far, the error stream after the output. */
  get output(): string {
    return this.#stdout + this.#stderr;
  }

  /** Waits for the first line for which `pick` gives something. Lines from before the call do not count. */
  async line<T>(what: string, timeout: number, pick: (line: string) => T | undefined): Promise<T> {
    let watcher: ((line: string) => void) | undefined;
    let timer: NodeJS.Timeout | undefined;
    try {
      return await Promise.race([
        new Promise<T>((resolve) => {
          watcher = (line) => {
            const picked = pick(line);
            if (picked !== undefined) resolve(picked);
          };
          this.#watchers.add(watcher);
        }),
        this.#ended.then((finished) => {
          throw new Error(`${this.#program} ended (${finished.signal ?? finished.code}) before ${what}:\n${this.output}`);
        }),
        new Promise<never>((_, reject) => {
          timer = setTimeout(() => reject(new Error(`${this.#program}: no ${what} within ${timeout} ms:\n${this.output}`)), timeout);
        }),
      ]);
    } finally {
      clearTimeout(timer);
      if (watcher) this.#watchers.delete(watcher);
    }
  }

  /** Sends SIGTERM and waits; one that does not end in time is killed, which is an error. */
  async stop(timeout: number): Promise<Finished> {
    this.#child.kill('SIGTERM');
    let killed = false;
    const timer = setTimeout(() => {
      killed = true;
      this.#child.kill('SIGKILL');
    }, timeout);
    try {
      const finished = await this.#ended;
      if (killed) throw new Error(`${this.#program} was still there ${timeout} ms after SIGTERM:\n${this.output}`);
      return finished;
    } finally {
      clearTimeout(timer);
    }
  }

  #tell(line: string): void {
    for (const watcher of this.#watchers) watcher(line);
  }
}
