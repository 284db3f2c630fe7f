package types

import (
	"bytes"
	"net/netip"
	"strings"
)

// inet is held as its text; only what pg_stat_activity and its kin show needs it.

// The fields of inet's binary form: family, bits, is-cidr, address length, address.
const (
	inetFamily4 = 2
	inetFamily6 = 3
	inetHeader  = 4
)

func parseInet(s string) (Datum, error) {
	addr, bits, ok := splitInet(s)
	if !ok {
		return Null, errSyntax("inet", s)
	}
	return NewString(Inet, inetText(addr, bits)), nil
}

func splitInet(s string) (addr netip.Addr, bits int, ok bool) {
	if strings.Contains(s, "/") {
		p, err := netip.ParsePrefix(s)
		return p.Addr(), p.Bits(), err == nil
	}
	addr, err := netip.ParseAddr(s)
	return addr, addr.BitLen(), err == nil && addr.Zone() == ""
}

func inetText(addr netip.Addr, bits int) string {
	if bits == addr.BitLen() {
		return addr.String()
	}
	return netip.PrefixFrom(addr, bits).String()
}

func parseInetBinary(b []byte) (Datum, error) {
	if len(b) < inetHeader || len(b) != inetHeader+int(b[3]) {
		return Null, errBinary("invalid length in external \"inet\" value")
	}
	addr, ok := netip.AddrFromSlice(b[inetHeader:])
	family4 := ok && addr.Is4()
	if !ok || int(b[1]) > addr.BitLen() || family4 != (b[0] == inetFamily4) ||
		!family4 && b[0] != inetFamily6 {
		return Null, errBinary("invalid address family in external \"inet\" value")
	}
	return NewString(Inet, inetText(addr, int(b[1]))), nil
}

func appendInetBinary(dst []byte, s string) []byte {
	addr, bits, _ := splitInet(s)
	family := byte(inetFamily6)
	if addr.Is4() {
		family = inetFamily4
	}
	raw := addr.AsSlice()
	dst = append(dst, family, byte(bits), 0, byte(len(raw)))
	return append(dst, raw...)
}

// compareInet orders addresses as PostgreSQL does.
func compareInet(a, b string) int {
	return bytes.Compare(appendKeyInet(nil, a), appendKeyInet(nil, b))
}

// appendKeyInet writes the family, then each bit of the network as one byte, 0 where the network
// ends, then the address: what the shorter of two networks has decides first, then which is the
// shorter.
func appendKeyInet(dst []byte, s string) []byte {
	addr, width, _ := splitInet(s)
	raw := addr.AsSlice()
	dst = append(dst, keyInet, byte(len(raw)))
	for i := range width {
		dst = append(dst, 1+raw[i/8]>>(7-i%8)&1)
	}
	return append(append(dst, 0), raw...)
}

func decodeKeyInet(src []byte) (Datum, []byte, error) {
	if len(src) < 2 || src[0] != keyInet {
		return Null, nil, errKey(Inet, "no address")
	}
	size, rest := int(src[1]), src[2:]
	width := bytes.IndexByte(rest, 0)
	if size != 4 && size != 16 || width < 0 || width > 8*size || len(rest) < width+1+size {
		return Null, nil, errKey(Inet, "damaged address")
	}
	end := width + 1 + size
	addr, _ := netip.AddrFromSlice(rest[width+1 : end])
	text := inetText(addr, width)
	if !bytes.Equal(appendKeyInet(nil, text), src[:2+end]) {
		return Null, nil, errKey(Inet, "damaged network")
	}
	return NewString(Inet, text), rest[end:], nil
}
