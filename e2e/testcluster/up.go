package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
)

// longestDirectory keeps the kubelets' sockets, which lie deep inside, within the 107 bytes that Linux allows.
const longestDirectory = 50

// readyLine is the one line that `up` prints on stdout, when everything runs.
type readyLine struct {
	Ready    bool                     `json:"ready"`
	Control  string                   `json:"control"`
	Clusters map[string]clusterReport `json:"clusters"`
}

// runUp brings up every cluster, prints the ready line, and stays until a signal or the end of a component.
func runUp(arguments []string) error {
	flags := flag.NewFlagSet(roleUp, flag.ContinueOnError)
	directory := flags.String("dir", "", "folder for everything that the clusters write (made if missing; must be empty)")
	manifests := flags.String("manifests", "", "folder with a folder of manifests for each cluster (default: e2e/manifests beside this program)")
	untilStdinCloses := flags.Bool("until-stdin-closes", false, "also end when standard input closes, so that no cluster outlives the program that started it")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	where, manifestFolder, err := checkFolders(*directory, *manifests)
	if err != nil {
		return err
	}

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if *untilStdinCloses {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			stop()
		}()
	}

	failures := make(chan error, 16)
	clusters := map[string]*cluster{}
	defer func() { endAll(clusters) }()
	for _, f := range flavours {
		c, err := newCluster(f, filepath.Join(where, f.name), failures, os.Stderr)
		if err != nil {
			return err
		}
		clusters[f.name] = c
	}
	if err := bringUpAll(ctx, clusters, manifestFolder, failures); err != nil {
		return err
	}

	control, err := serveControl(clusters)
	if err != nil {
		return err
	}
	line := readyLine{Ready: true, Control: control, Clusters: map[string]clusterReport{}}
	for name, c := range clusters {
		line.Clusters[name] = c.report()
	}
	if err := json.NewEncoder(os.Stdout).Encode(line); err != nil {
		return err
	}

	select {
	case <-ctx.Done():
		return nil
	case failure := <-failures:
		return failure
	}
}

// bringUpAll gives up as soon as one cluster cannot come up or one component ends.
func bringUpAll(parent context.Context, clusters map[string]*cluster, manifests string, failures <-chan error) error {
	ctx, cancel := context.WithCancelCause(parent)
	defer cancel(nil)
	var group sync.WaitGroup
	for name, c := range clusters {
		group.Go(func() {
			if err := c.bringUp(ctx, filepath.Join(manifests, name)); err != nil {
				cancel(err)
			}
		})
	}
	done := make(chan struct{})
	go func() {
		group.Wait()
		close(done)
	}()
	select {
	case <-done:
	case failure := <-failures:
		cancel(failure)
		<-done
	}
	if parent.Err() != nil {
		return errors.New("told to end before the clusters were ready")
	}
	return context.Cause(ctx)
}

func endAll(clusters map[string]*cluster) {
	var group sync.WaitGroup
	for _, c := range clusters {
		group.Go(c.end)
	}
	group.Wait()
}

// checkFolders returns both as absolute paths, or says what is wrong with them.
func checkFolders(directory, manifests string) (where, manifestFolder string, err error) {
	if directory == "" {
		return "", "", errors.New("--dir is missing: name an empty folder, or one that does not exist yet")
	}
	if where, err = filepath.Abs(directory); err != nil {
		return "", "", err
	}
	if len(where) > longestDirectory {
		return "", "", fmt.Errorf("--dir %s: the path has %d characters; sockets inside would be too long beyond %d, so choose a shorter one", where, len(where), longestDirectory)
	}
	if err := os.MkdirAll(where, 0o700); err != nil {
		return "", "", err
	}
	if content, err := os.ReadDir(where); err != nil {
		return "", "", err
	} else if len(content) > 0 {
		return "", "", fmt.Errorf("--dir %s is not empty: name an empty folder, or one that does not exist yet", where)
	}

	if manifests == "" {
		self, err := os.Executable()
		if err != nil {
			return "", "", err
		}
		manifests = filepath.Join(filepath.Dir(self), "..", "..", "manifests")
	}
	if manifestFolder, err = filepath.Abs(manifests); err != nil {
		return "", "", err
	}
	for _, f := range flavours {
		if _, err := os.Stat(filepath.Join(manifestFolder, f.name)); err != nil {
			return "", "", fmt.Errorf("--manifests: %w", err)
		}
	}
	return where, manifestFolder, nil
}
