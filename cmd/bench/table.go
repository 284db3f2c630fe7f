package main

import (
	"fmt"
	"runtime"
	"slices"
)

// print writes the table in Markdown, so that it can go into docs/BENCHMARKS.md as it is.
func (b *bench) print(rows []measured) {
	fmt.Printf("%d cores, %s; pgbench with one thread on the same host, prepared, %d rows,"+
		" medians of %d interleaved runs of %v (lowest to highest).\n\n",
		runtime.NumCPU(), runtime.Version(), b.Rows, b.Rounds, b.Time)
	fmt.Println("| script | clients | ackdb tps | PostgreSQL 15 tps | ratio | canned tps | of the ceiling |" +
		" ackdb mean latency |")
	fmt.Println("|---|--:|--:|--:|--:|--:|--:|--:|")
	for _, m := range rows {
		ours, theirs, top := tps(m.samples[ackdb]), tps(m.samples[postgres]), tps(m.samples[ceiling])
		fmt.Printf("| %s | %d | %s | %s | %.2f | %s | %.2f | %.0f us |\n", m.name, m.clients,
			spread(ours), spread(theirs), median(ours)/median(theirs), spread(top),
			median(ours)/median(top), median(latency(m.samples[ackdb])))
	}
}

func tps(samples []sample) []float64 {
	var v []float64
	for _, s := range samples {
		v = append(v, s.tps)
	}
	return v
}

func latency(samples []sample) []float64 {
	var v []float64
	for _, s := range samples {
		v = append(v, s.latencyUS)
	}
	return v
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	if len(v)%2 == 1 {
		return v[len(v)/2]
	}
	return (v[len(v)/2-1] + v[len(v)/2]) / 2
}

func spread(v []float64) string {
	return fmt.Sprintf("%.1f k (%.1f–%.1f)", median(v)/1000, slices.Min(v)/1000, slices.Max(v)/1000)
}

// lowHigh is the range of the figures, each printed by format.
func lowHigh(v []float64, format string) string {
	return fmt.Sprintf(format+"–"+format, slices.Min(v), slices.Max(v))
}
