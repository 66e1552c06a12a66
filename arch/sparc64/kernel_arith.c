// SPDX-License-Identifier: MIT
/* What compilers call for steps that V9 has no instruction for. */
#include <lib/types.h>

int __clzdi2(u64 v);
int __ctzdi2(u64 v);
int __ctzsi2(u32 v);
int __clzsi2(u32 v);
int __popcountdi2(u64 v);
int __popcountsi2(u32 v);
int __ffsdi2(u64 v);
int __bswapsi2(int v);
u64 __bswapdi2(u64 v);
unsigned __int128 __multi3(unsigned __int128 a, unsigned __int128 b);
unsigned __int128 __ashlti3(unsigned __int128 v, int by);
unsigned __int128 __lshrti3(unsigned __int128 v, int by);
__int128 __ashrti3(__int128 v, int by);

int __clzdi2(u64 v)
{
	int n = 0;

	for (int half = 32; half; half >>= 1)
		if (!(v >> (64 - half))) {
			v <<= half;
			n += half;
		}
	return n;
}

int __clzsi2(u32 v)
{
	return __clzdi2(v) - 32;
}

int __popcountsi2(u32 v)
{
	return __popcountdi2(v);
}

int __ctzdi2(u64 v)
{
	return __popcountdi2(~v & (v - 1));
}

int __ctzsi2(u32 v)
{
	return __ctzdi2(v);
}

int __ffsdi2(u64 v)
{
	return v ? __ctzdi2(v) + 1 : 0;
}

int __bswapsi2(int n)
{
	u32 v = (u32)n;

	v = (v & 0xff00ff) << 8 | (v >> 8 & 0xff00ff);
	return (int)(v << 16 | v >> 16);
}

u64 __bswapdi2(u64 v)
{
	v = (v & 0x00ff00ff00ff00ffULL) << 8 | (v >> 8 & 0x00ff00ff00ff00ffULL);
	v = (v & 0x0000ffff0000ffffULL) << 16 | (v >> 16 & 0x0000ffff0000ffffULL);
	return v << 32 | v >> 32;
}

union words {
	unsigned __int128 v;
	__int128 s;
	struct {
		u64 high, low;
	};
};

/* 64 by 64 bits. */
static union words multiply(u64 a, u64 b)
{
	u64 al = (u32)a, ah = a >> 32, bl = (u32)b, bh = b >> 32, ll = al * bl, lh = al * bh, hl = ah * bl, hh = ah * bh;
	u64 mid = (ll >> 32) + (u32)lh + (u32)hl;

	return (union words){ .high = hh + (lh >> 32) + (hl >> 32) + (mid >> 32), .low = mid << 32 | (u32)ll };
}

unsigned __int128 __multi3(unsigned __int128 a, unsigned __int128 b)
{
	union words x = { a }, y = { b }, r = multiply(x.low, y.low);

	r.high += x.low * y.high + x.high * y.low;
	return r.v;
}

unsigned __int128 __ashlti3(unsigned __int128 v, int by)
{
	union words x = { v };

	if (by >= 64)
		return (union words){ .high = x.low << (by - 64), .low = 0 }.v;
	return by ? (union words){ .high = x.high << by | x.low >> (64 - by), .low = x.low << by }.v : v;
}

unsigned __int128 __lshrti3(unsigned __int128 v, int by)
{
	union words x = { v };

	if (by >= 64)
		return (union words){ .high = 0, .low = x.high >> (by - 64) }.v;
	return by ? (union words){ .high = x.high >> by, .low = x.low >> by | x.high << (64 - by) }.v : v;
}

__int128 __ashrti3(__int128 v, int by)
{
	union words x = { .s = v };
	u64 sign = (u64)((s64)x.high >> 63);

	if (by >= 64)
		return (union words){ .high = sign, .low = (u64)((s64)x.high >> (by - 64)) }.s;
	return by ? (union words){ .high = (u64)((s64)x.high >> by), .low = x.low >> by | x.high << (64 - by) }.s : v;
}
