package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// httpServer serves metrics. A nil one serves nothing.
type httpServer struct {
	listener net.Listener
	server   *http.Server
	done     chan struct{}
}

// httpTimeout bounds a request: a scraper is not waited for.
const httpTimeout = 10 * time.Second

func listenHTTP(srv *Server) (*httpServer, error) {
	if srv.opts.HTTP == "" {
		return nil, nil
	}
	listener, err := net.Listen("tcp", srv.opts.HTTP)
	if err != nil {
		return nil, fmt.Errorf("server: listen for metrics: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		if !srv.ready.Load() {
			http.Error(w, "starting up", http.StatusServiceUnavailable)
			return
		}
		srv.metrics.handler().ServeHTTP(w, r)
	})
	mux.HandleFunc("GET /ready", func(w http.ResponseWriter, _ *http.Request) {
		if !srv.ready.Load() {
			http.Error(w, "starting up", http.StatusServiceUnavailable)
			return
		}
		_, _ = w.Write([]byte("ready\n"))
	})
	h := &httpServer{listener: listener, done: make(chan struct{}), server: &http.Server{
		Handler: mux, ReadTimeout: httpTimeout, WriteTimeout: httpTimeout,
		IdleTimeout: httpTimeout, MaxHeaderBytes: 16 << 10}}
	go func() {
		defer close(h.done)
		if err := h.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			srv.log.Error("metrics server ended", "err", err)
		}
	}()
	return h, nil
}

func (h *httpServer) addr() net.Addr {
	if h == nil {
		return nil
	}
	return h.listener.Addr()
}

func (h *httpServer) close(ctx context.Context) {
	if h == nil {
		return
	}
	if err := h.server.Shutdown(ctx); err != nil {
		_ = h.server.Close()
	}
	<-h.done
}
