package parse

import "testing"

var benchStatements = []struct{ name, sql string }{
	{"select", "SELECT v FROM kv WHERE k = 'x'"},
	{"pgbench", "UPDATE pgbench_accounts SET abalance = abalance + -3288 WHERE aid = 51234;"},
	{"upsert", "INSERT INTO kv (k, v) VALUES ('some-key-0001', 'a value of forty characters')" +
		" ON CONFLICT (k) DO UPDATE SET v = excluded.v"},
}

// BenchmarkLex is the price of finding a statement's fingerprint and literals.
func BenchmarkLex(b *testing.B) {
	for _, s := range benchStatements {
		b.Run(s.name, func(b *testing.B) {
			b.ReportAllocs()
			var toks Tokens
			for b.Loop() {
				if toks.Lex(s.sql) != nil {
					b.Fatal("lex")
				}
			}
		})
	}
}

// BenchmarkHit is the whole price of a statement whose template is known: lex, look up, compare,
// read the literals.
func BenchmarkHit(b *testing.B) {
	for _, s := range benchStatements {
		b.Run(s.name, func(b *testing.B) {
			b.ReportAllocs()
			var toks Tokens
			if toks.Lex(s.sql) != nil {
				b.Fatal("lex")
			}
			tmpl, err := ParseTemplate(toks.Stmt(0))
			if err != nil {
				b.Fatal(err)
			}
			holes := constants(tmpl.Stmt.Tree)
			known := map[uint64]*Template{toks.Stmt(0).Fingerprint(): tmpl}
			for b.Loop() {
				_ = toks.Lex(s.sql)
				st := toks.Stmt(0)
				if t := known[st.Fingerprint()]; !st.Cacheable() || !t.Matches(st) {
					b.Fatal("miss")
				}
				for _, c := range holes {
					if st.Const(c).Kind == ConstNull {
						b.Fatal("null")
					}
				}
			}
		})
	}
}

// BenchmarkMiss is the price of a statement seen for the first time.
func BenchmarkMiss(b *testing.B) {
	for _, s := range benchStatements {
		b.Run(s.name, func(b *testing.B) {
			b.ReportAllocs()
			var toks Tokens
			for b.Loop() {
				_ = toks.Lex(s.sql)
				if _, err := ParseTemplate(toks.Stmt(0)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
