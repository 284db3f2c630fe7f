package builtin

import (
	"math"

	"ackdb/server/sql/types"
)

func init() {
	f8 := types.Float8
	register(
		fn("sind", f8, finiteUnary(sinDegrees), f8), fn("cosd", f8, finiteUnary(cosDegrees), f8),
		fn("tand", f8, finiteUnary(tanDegrees), f8), fn("cotd", f8, finiteUnary(cotDegrees), f8),
		fn("asind", f8, limitedUnary(asinDegrees, -1, 1), f8),
		fn("acosd", f8, limitedUnary(acosDegrees, -1, 1), f8),
		fn("atand", f8, floatUnary(atanDegrees), f8),
		fn("atan2d", f8, evalAtan2Degrees, f8, f8),
	)
}

// The functions of angles in degrees are exact where the angle is a multiple of 30 or 45: each
// divides by what the library says of the exact case, so that its rounding cancels.
var (
	sin30, oneMinusCos60 = math.Sin(radians(30)), 1 - math.Cos(radians(60))
	asinHalf, acosHalf   = math.Asin(0.5), math.Acos(0.5)
	tan45                = sinQuarter(45) / cosQuarter(45)
	cot45                = cosQuarter(45) / sinQuarter(45)
)

func radians(degrees float64) float64 { return degrees * (math.Pi / 180) }

// sinQuarter and cosQuarter are of angles from 0 to 90.
func sinQuarter(x float64) float64 {
	if x <= 30 {
		return math.Sin(radians(x)) / sin30 / 2
	}
	return cosQuarter(90 - x)
}

func cosQuarter(x float64) float64 {
	if x <= 60 {
		return 1 - (1-math.Cos(radians(x)))/oneMinusCos60/2
	}
	return sinQuarter(90 - x)
}

// quarter turns an angle into one from 0 to 90, and says which signs its sine and cosine have.
func quarter(x float64) (angle, sin, cos float64) {
	angle, sin, cos = math.Mod(x, 360), 1, 1
	if angle < 0 {
		angle, sin = -angle, -sin
	}
	if angle > 180 {
		angle, sin = 360-angle, -sin
	}
	if angle > 90 {
		angle, cos = 180-angle, -1
	}
	return angle, sin, cos
}

func sinDegrees(x float64) float64 {
	angle, sign, _ := quarter(x)
	return sign * sinQuarter(angle)
}

func cosDegrees(x float64) float64 {
	angle, _, sign := quarter(x)
	return sign * cosQuarter(angle)
}

func tanDegrees(x float64) float64 {
	angle, sin, cos := quarter(x)
	return sin*cos*(sinQuarter(angle)/cosQuarter(angle)/tan45) + 0 // no negative zero
}

func cotDegrees(x float64) float64 {
	angle, sin, cos := quarter(x)
	return sin*cos*(cosQuarter(angle)/sinQuarter(angle)/cot45) + 0
}

// asinQuarter and acosQuarter are of values from 0 to 1.
func asinQuarter(x float64) float64 {
	if x <= 0.5 {
		return math.Asin(x) / asinHalf * 30
	}
	return 90 - math.Acos(x)/acosHalf*60
}

func acosQuarter(x float64) float64 {
	if x <= 0.5 {
		return 90 - math.Asin(x)/asinHalf*30
	}
	return math.Acos(x) / acosHalf * 60
}

func asinDegrees(x float64) float64 {
	if x < 0 {
		return -asinQuarter(-x)
	}
	return asinQuarter(x)
}

func acosDegrees(x float64) float64 {
	if x < 0 {
		return 90 + asinQuarter(-x)
	}
	return acosQuarter(x)
}

func atanDegrees(x float64) float64 { return math.Atan(x) / (math.Pi / 4) * 45 }

func evalAtan2Degrees(_ *Context, a []Datum) (Datum, error) {
	return types.NewFloat8(math.Atan2(a[0].Float(), a[1].Float()) / (math.Pi / 4) * 45), nil
}

// finiteUnary refuses the infinities, which have no angle.
func finiteUnary(f func(float64) float64) Eval {
	return limitedUnary(f, -math.MaxFloat64, math.MaxFloat64)
}
