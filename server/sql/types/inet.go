package types

import (
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
