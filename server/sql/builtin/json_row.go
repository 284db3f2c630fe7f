package builtin

import (
	"strconv"

	"ackdb/server/sql/types"
)

func init() {
	register(
		fn("row_to_json", types.JSON, evalRowToJSON, types.Record).stable(),
		fn("row_to_json", types.JSON, evalRowToJSON, types.Record, types.Bool).stable(),
	)
}

func evalRowToJSON(c *Context, a []Datum) (Datum, error) {
	pretty := len(a) > 1 && a[1].Bool()
	out := appendJSONRow(nil, a[0], c, pretty)
	if len(out) > maxFieldSize {
		return types.Null, errTooLarge()
	}
	return types.NewBytes(types.JSON, out), nil
}

// appendJSONRow appends a row as an object; its fields are f1, f2 and so on where they have no
// names.
func appendJSONRow(dst []byte, d Datum, c *Context, pretty bool) []byte {
	names := d.FieldNames()
	dst = append(dst, '{')
	for i, field := range d.Row() {
		if i > 0 {
			dst = append(dst, ',')
			if pretty {
				dst = append(dst, "\n "...)
			}
		}
		name := "f" + strconv.Itoa(i+1)
		if names != nil {
			name = names[i]
		}
		dst = append(types.AppendJSONString(dst, name), ':')
		dst = appendJSON(dst, field, c)
	}
	return append(dst, '}')
}
