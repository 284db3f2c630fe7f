package types

import (
	"flag"
	"math"
	"math/rand/v2"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/apd/v3"
)

var seedFlag = flag.Uint64("seed", 0, "seed of the random tests; 0 draws one")

// newRand returns a generator and arranges for a failure to print how to replay it.
func newRand(t *testing.T) *rand.Rand {
	t.Helper()
	seed := *seedFlag
	if seed == 0 {
		seed, _ = strconv.ParseUint(os.Getenv("ACKDB_SEED"), 10, 64)
	}
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("replay: go test ./server/sql/types -run '^%s$' -seed=%d", t.Name(), seed)
		}
	})
	return rand.New(rand.NewPCG(seed, 1))
}

// randomTypes are the types a random value is made of.
var randomTypes = []OID{Bool, Char, Int2, Int4, Int8, Oid, Xid8, Float4, Float8, Numeric, Text,
	VarChar, BPChar, Name, Bytea, UUID, PgLSN, Date, Time, Timestamp, TimestampTZ, Interval,
	RegType, JSONB, Inet, TextArray, Int4Array, NumericArray}

// pick draws from a few values, so that equal and neighbouring ones are common, or from all.
func pick[T any](r *rand.Rand, edge []T, all func() T) T {
	if r.IntN(2) == 0 {
		return edge[r.IntN(len(edge))]
	}
	return all()
}

func randomInt(r *rand.Rand, low, high int64) int64 {
	return pick(r, []int64{low, high, 0, 1, -1, 127, 128, 255, 256, -128, -129, -256, -257, 65535,
		65536}, func() int64 { return int64(r.Uint64()) >> r.IntN(64) })
}

func inRange(v, low, high int64) int64 {
	if v < low || v > high {
		return low
	}
	return v
}

func randomText(r *rand.Rand) string {
	alphabet := []string{"a", "b", " ", "é", "\x01", "z", "\x7f", "世", "A", "%"}
	n := r.IntN(6)
	s := ""
	for range n {
		s += alphabet[r.IntN(len(alphabet))]
	}
	return s
}

func randomBytes(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = pick(r, []byte{0, 1, 0xff, 0xfe}, func() byte { return byte(r.Uint32()) })
	}
	return b
}

func randomFloat(r *rand.Rand) float64 {
	return pick(r, []float64{0, math.Copysign(0, -1), 1, -1, math.NaN(), math.Inf(1), math.Inf(-1),
		math.MaxFloat64, math.SmallestNonzeroFloat64, 0.1}, func() float64 {
		return math.Float64frombits(r.Uint64())
	})
}

func randomNumeric(r *rand.Rand) Datum {
	switch r.IntN(12) {
	case 0:
		return NumericFromFloatWord(math.NaN())
	case 1:
		return NumericFromFloatWord(math.Inf(1))
	case 2:
		return NumericFromFloatWord(math.Inf(-1))
	case 3:
		return newSmallNumeric(int64(r.IntN(3)-1), int32(r.IntN(4)))
	}
	dec := &apd.Decimal{Negative: r.IntN(2) == 0, Exponent: -int32(r.IntN(30))}
	for range r.IntN(4) {
		dec.Coeff.Mul(&dec.Coeff, apd.NewBigInt(1_000_000_000))
		dec.Coeff.Add(&dec.Coeff, apd.NewBigInt(int64(r.IntN(1_000_000_000))))
	}
	if r.IntN(3) == 0 {
		scaleUp(&dec.Coeff, int32(r.IntN(20)))
	}
	d, err := checkNumeric(dec)
	if err != nil {
		panic(err)
	}
	return d
}

// randomDatum makes a value of the type that may occur.
func randomDatum(r *rand.Rand, oid OID) Datum {
	switch oid {
	case Bool:
		return NewBool(r.IntN(2) == 0)
	case Char:
		return NewInt(Char, int64(r.IntN(256)))
	case Int2:
		return NewInt2(int16(randomInt(r, math.MinInt16, math.MaxInt16)))
	case Int4:
		return NewInt4(int32(randomInt(r, math.MinInt32, math.MaxInt32)))
	case Int8:
		return NewInt8(randomInt(r, math.MinInt64, math.MaxInt64))
	case Oid, RegType:
		return NewInt(oid, int64(uint32(randomInt(r, 0, math.MaxUint32))))
	case PgLSN, Xid8:
		return NewInt(oid, randomInt(r, math.MinInt64, math.MaxInt64))
	case Float4:
		return NewFloat4(float32(randomFloat(r)))
	case Float8:
		return NewFloat8(randomFloat(r))
	case Numeric:
		return randomNumeric(r)
	case Text, VarChar, BPChar, Name:
		return NewString(oid, randomText(r))
	case Bytea:
		return NewBytes(Bytea, randomBytes(r, r.IntN(5)))
	case UUID:
		return NewBytes(UUID, randomBytes(r, 16))
	case Interval:
		return NewSpan(Span{Months: int32(randomInt(r, -12, 12)), Days: int32(randomInt(r, -30, 30)),
			Micros: randomInt(r, -microsPerDay, microsPerDay)})
	}
	switch oid {
	case JSONB:
		d, err := parseJSON(JSONB, randomJSON(r, 3))
		if err != nil {
			panic(err)
		}
		return d
	case Inet:
		return randomInet(r)
	}
	if elem := ElemOf(oid); elem != 0 {
		return randomArray(r, elem)
	}
	return randomTime(r, oid)
}

func randomTime(r *rand.Rand, oid OID) Datum {
	switch oid {
	case Date:
		v := randomInt(r, dateNegInfinity, dateInfinity)
		if !dateTimeInRange(Date, v) {
			v = inRange(v, dateMin, dateEnd-1)
		}
		return NewInt(Date, v)
	case Time:
		return NewInt(Time, inRange(randomInt(r, 0, microsPerDay), 0, microsPerDay))
	}
	v := randomInt(r, timestampNegInfinity, timestampInfinity)
	if !dateTimeInRange(oid, v) {
		v = inRange(v, timestampMin, timestampEnd-1)
	}
	return NewInt(oid, v)
}

func randomArray(r *rand.Rand, elem OID) Datum {
	elems := make([]Datum, r.IntN(4))
	for i := range elems {
		if r.IntN(4) > 0 {
			elems[i] = randomDatum(r, elem)
		}
	}
	d := NewArray(elem, elems)
	a := d.Array()
	switch {
	case len(elems) > 0 && r.IntN(5) == 0:
		a.Dims[0].Lower = int32(r.IntN(5) - 2)
	case len(elems) > 0 && r.IntN(5) == 0:
		a.Dims = []Dim{{Len: int32(len(elems)), Lower: 1}, {Len: 1, Lower: 1}}
	}
	return d
}

func newSeededRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }

func randomJSON(r *rand.Rand, depth int) string {
	if depth == 0 {
		return []string{"null", "true", "false", "1", "1.0", "-2e3", `""`, `"a"`, `"\u0001\n"`,
			`"b"`, "[]", "{}"}[r.IntN(12)]
	}
	parts := make([]string, r.IntN(4))
	isObject := r.IntN(2) == 0
	for i := range parts {
		parts[i] = randomJSON(r, r.IntN(depth))
		if isObject {
			parts[i] = []string{`"a"`, `"b"`, `"ab"`, `""`, `"\t"`}[r.IntN(5)] + ":" + parts[i]
		}
	}
	list := strings.Join(parts, ",")
	if isObject {
		return "{" + list + "}"
	}
	return "[" + list + "]"
}

func randomInet(r *rand.Rand) Datum {
	raw := randomBytes(r, []int{4, 16}[r.IntN(2)])
	addr, _ := netip.AddrFromSlice(raw)
	bits := pick(r, []int{addr.BitLen(), 0, 8}, func() int { return r.IntN(addr.BitLen()) })
	return NewString(Inet, inetText(addr, bits))
}
