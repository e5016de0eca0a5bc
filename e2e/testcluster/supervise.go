package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// process is a child that is this same binary in another role.
type process struct {
	name    string
	command []string // command[0] is the role
	logFile string

	child    *exec.Cmd
	exited   chan struct{} // closed when the child has been reaped
	mu       sync.Mutex
	stopping bool
}

// startProcess starts a role. A child that ends without having been stopped is reported on failures.
func startProcess(name string, command []string, l layout, failures chan<- error) (*process, error) {
	p := &process{name: name, command: command, logFile: l.log(name + ".log"), exited: make(chan struct{})}
	log, err := os.OpenFile(p.logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	if p.child, err = roleCommand(command, l); err != nil {
		return nil, err
	}
	p.child.Stdout, p.child.Stderr = log, log
	p.child.Dir = l.directory
	p.child.SysProcAttr = &syscall.SysProcAttr{
		Setpgid:   true,            // Ctrl-C reaches the supervisor alone, which knows the order in which to stop
		Pdeathsig: syscall.SIGKILL, // and nothing outlives a supervisor that was killed
	}
	if err := p.child.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		ended := p.child.Wait()
		close(p.exited)
		p.mu.Lock()
		defer p.mu.Unlock()
		if !p.stopping {
			failures <- fmt.Errorf("%s ended by itself (%v); the end of %s:\n%s", name, ended, p.logFile, tail(p.logFile, 15))
		}
	}()
	return p, nil
}

// stop asks the child to end, insists after the grace period, and returns when it is gone.
func (p *process) stop(grace time.Duration) {
	p.mu.Lock()
	p.stopping = true
	p.mu.Unlock()
	_ = p.child.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.exited:
	case <-time.After(grace):
		_ = p.child.Process.Kill()
		<-p.exited
	}
}

func (p *process) alive() bool {
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

// roleCommand runs this binary with argv exactly as given, so that /proc/PID/cmdline shows it. The environment is
// bare: neither a proxy nor an ETCD_ variable of the caller may change what the flags say.
func roleCommand(argv []string, l layout) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return &exec.Cmd{
		Path: self,
		Args: argv,
		Env:  []string{"PATH=" + os.Getenv("PATH"), "HOME=" + l.temporary(), "TMPDIR=" + l.temporary()},
	}, nil
}

func tail(file string, lines int) string {
	content, err := os.ReadFile(file)
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimSpace(string(content)), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
