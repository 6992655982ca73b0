/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Packing of history: variable-length integers (7 bits a byte, sign folded into the lowest bit), a value is an
 * integer, a float that is exact, or a double, told by two bits that travel with the time. */

#include "pack.h"

#include <math.h>

enum tag {
        TAG_INTEGER,
        TAG_FLOAT,
        TAG_DOUBLE,
};

#define ENTRY_MAX 40                      /* no entry is longer */
#define EXACT_INTEGER 9007199254740992.0  /* 2^53 */

void pack_done(struct pack *p)
{
        free(p->data);
        *p = (struct pack){ 0 };
}

void pack_reset(struct pack *p)
{
        *p = (struct pack){ .data = p->data, .size = p->size };
}

void unpack_init(struct unpack *u, const void *data, size_t len)
{
        *u = (struct unpack){ .p = data, .end = data ? (const uint8_t *)data + len : NULL };
}

/* Room for one more entry, so that the writers below need no checks. */
static int reserve(struct pack *p, size_t n)
{
        uint8_t *data;
        size_t size;

        if (p->len + n <= p->size)
                return 0;
        if (p->len + n > PACK_MAX)
                return -ENOBUFS;
        size = MIN(MAX(p->size * 2, p->len + n), (size_t)PACK_MAX);
        data = realloc(p->data, size);
        if (!data)
                return -ENOMEM;
        p->data = data;
        p->size = size;
        return 0;
}

static void put_uint(struct pack *p, uint64_t v)
{
        for (; v >= 0x80; v >>= 7)
                p->data[p->len++] = (uint8_t)(v | 0x80);
        p->data[p->len++] = (uint8_t)v;
}

static bool get_uint(struct unpack *u, uint64_t *ret)
{
        uint64_t v = 0;

        for (int shift = 0; shift < 64; shift += 7) {
                uint8_t byte;

                if (u->p == u->end)
                        return false;
                byte = *u->p++;
                if (shift == 63 && byte > 1)
                        return false;
                v |= (uint64_t)(byte & 0x7f) << shift;
                if (!(byte & 0x80)) {
                        *ret = v;
                        return true;
                }
        }
        return false;
}

static uint64_t fold(int64_t v)
{
        return ((uint64_t)v << 1) ^ (v < 0 ? UINT64_MAX : 0);
}

static int64_t unfold(uint64_t v)
{
        return (int64_t)((v >> 1) ^ (v & 1 ? UINT64_MAX : 0));
}

static enum tag tag_of(double v)
{
        /* Minus zero is no integer: it would come back as plus zero. */
        if (fabs(v) <= EXACT_INTEGER && v == trunc(v) && !(v == 0 && signbit(v)))
                return TAG_INTEGER;
        return fabs(v) <= 3e38 && (double)(float)v == v ? TAG_FLOAT : TAG_DOUBLE;
}

/* base: the integer before, from which this one is probably not far. */
static void put_value(struct pack *p, enum tag tag, double v, int64_t *base)
{
        float f = tag == TAG_FLOAT ? (float)v : 0;

        if (tag == TAG_INTEGER) {
                put_uint(p, fold((int64_t)v - *base));
                *base = (int64_t)v;
        } else if (tag == TAG_FLOAT) {
                memcpy(p->data + p->len, &f, sizeof(f));
                p->len += sizeof(f);
        } else {
                memcpy(p->data + p->len, &v, sizeof(v));
                p->len += sizeof(v);
        }
}

static bool get_value(struct unpack *u, unsigned tag, int64_t *base, double *ret)
{
        uint64_t n;
        double v;
        float f;

        if (tag == TAG_INTEGER) {
                if (!get_uint(u, &n))
                        return false;
                *base = (int64_t)((uint64_t)*base + (uint64_t)unfold(n));
                v = (double)*base;
                if (fabs(v) > EXACT_INTEGER)
                        return false;
        } else if (tag == TAG_FLOAT && u->end - u->p >= (ptrdiff_t)sizeof(f)) {
                memcpy(&f, u->p, sizeof(f));
                u->p += sizeof(f);
                v = f;
        } else if (tag == TAG_DOUBLE && u->end - u->p >= (ptrdiff_t)sizeof(v)) {
                memcpy(&v, u->p, sizeof(v));
                u->p += sizeof(v);
        } else {
                return false;
        }
        *ret = v;
        return isfinite(v);
}

int pack_log(struct pack *p, uint32_t series, int64_t at_s, double value)
{
        enum tag tag = tag_of(value);
        int64_t zero = 0;
        int r = reserve(p, ENTRY_MAX);

        if (r < 0)
                return r;
        put_uint(p, fold((int64_t)series - (int64_t)p->series));
        put_uint(p, fold(at_s - p->at_s) << 2 | tag);
        put_value(p, tag, value, &zero);
        p->series = series;
        p->at_s = at_s;
        return 0;
}

int unpack_log(struct unpack *u, uint32_t *ret_series, int64_t *ret_at_s, double *ret_value)
{
        uint64_t series, at;
        int64_t zero = 0, id;

        if (u->p == u->end)
                return 0;
        if (!get_uint(u, &series) || !get_uint(u, &at))
                return -EBADMSG;
        id = (int64_t)((uint64_t)u->series + (uint64_t)unfold(series));
        u->at_s = (int64_t)((uint64_t)u->at_s + (uint64_t)unfold(at >> 2));
        if (id < 0 || id > UINT32_MAX || u->at_s < 0 || u->at_s >= HOUR_S || !get_value(u, at & 3, &zero, ret_value))
                return -EBADMSG;
        *ret_series = u->series = (uint32_t)id;
        *ret_at_s = u->at_s;
        return 1;
}

int pack_point(struct pack *p, int64_t at_s, double value)
{
        enum tag tag = tag_of(value);
        int r = reserve(p, ENTRY_MAX);

        if (r < 0)
                return r;
        put_uint(p, (uint64_t)(at_s - p->at_s) << 2 | tag);
        put_value(p, tag, value, &p->integer);
        p->at_s = at_s;
        return 0;
}

int unpack_point(struct unpack *u, int64_t *ret_at_s, double *ret_value)
{
        uint64_t at;

        if (u->p == u->end)
                return 0;
        if (!get_uint(u, &at) || at >> 2 >= HOUR_S)
                return -EBADMSG;
        u->at_s += (int64_t)(at >> 2);
        if (u->at_s >= HOUR_S || !get_value(u, at & 3, &u->integer, ret_value))
                return -EBADMSG;
        *ret_at_s = u->at_s;
        return 1;
}

/* --- hours: one byte hour and flags, then what the flags say ---------------------------------- */

#define HOUR_MASK 0x1f
#define HOUR_CONSTANT 0x20 /* one value for mean, min and max */
#define HOUR_REPEAT 0x40   /* no content: the entry before, again for all hours up to and with this one */

static bool same_stat(const struct hour_stat *a, const struct hour_stat *b)
{
        return a->cover_s == b->cover_s && a->mean == b->mean && a->min == b->min && a->max == b->max;
}

static void put_tagged(struct pack *p, double v)
{
        int64_t zero = 0;
        enum tag tag = tag_of(v);

        p->data[p->len++] = (uint8_t)tag;
        put_value(p, tag, v, &zero);
}

static bool get_tagged(struct unpack *u, double *ret)
{
        int64_t zero = 0;

        return u->p < u->end && get_value(u, *u->p++, &zero, ret);
}

int pack_hours(struct pack *p, const struct hour_stat *hours, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                const struct hour_stat *h = &hours[i];
                bool constant = h->min == h->max && h->mean == h->min;
                size_t last = i;
                int r = reserve(p, ENTRY_MAX + 1);

                if (r < 0)
                        return r;
                p->data[p->len++] = (uint8_t)(h->hour | (constant ? HOUR_CONSTANT : 0));
                put_uint(p, (uint64_t)h->cover_s);
                put_tagged(p, h->mean);
                if (!constant) {
                        put_tagged(p, h->min);
                        put_tagged(p, h->max);
                }
                while (last + 1 < n && hours[last + 1].hour == hours[last].hour + 1 && same_stat(&hours[last + 1], h))
                        last++;
                if (last > i) {
                        p->data[p->len++] = (uint8_t)(hours[last].hour | HOUR_REPEAT);
                        i = last;
                }
        }
        return 0;
}

static bool get_hour(struct unpack *u, uint8_t head, struct hour_stat *ret)
{
        uint64_t cover;

        if (!get_uint(u, &cover) || cover < 1 || cover > HOUR_S || !get_tagged(u, &ret->mean))
                return false;
        ret->cover_s = (int)cover;
        ret->min = ret->max = ret->mean;
        return head & HOUR_CONSTANT ||
               (get_tagged(u, &ret->min) && get_tagged(u, &ret->max) && ret->min <= ret->mean && ret->mean <= ret->max);
}

int unpack_hours(const void *data, size_t len, struct hour_stat ret[24])
{
        struct unpack u;
        int n = 0;

        unpack_init(&u, data, len);
        while (u.p < u.end) {
                uint8_t head = *u.p++;
                int hour = head & HOUR_MASK, next = n ? ret[n - 1].hour + 1 : 0;

                if (hour > 23 || hour < next || (head & 0x80))
                        return -EBADMSG;
                if (head & HOUR_REPEAT) {
                        if (n == 0)
                                return -EBADMSG;
                        for (; next <= hour; next++) {
                                ret[n] = ret[n - 1];
                                ret[n++].hour = next;
                        }
                        continue;
                }
                ret[n].hour = hour;
                if (!get_hour(&u, head, &ret[n]))
                        return -EBADMSG;
                n++;
        }
        return n;
}
