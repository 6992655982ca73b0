/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* One md array from sys/block/mdX/md (Documentation/admin-guide/md.rst), gaps filled from mdstat. */

#include <math.h>

#include "md.h"
#include "mounts.h"

#define MDSTAT_MAX (1024 * 1024)
#define MEMBERS_MAX 512

int md_read_mdstat(struct env *env, struct mdstat *ret)
{
        _cleanup_free_ char *text = NULL;
        int r = env_read_text(env, &text, MDSTAT_MAX, "proc/mdstat");

        if (r == -ENOENT) {
                *ret = (struct mdstat){ 0 };
                return 0;
        }
        if (r >= 0)
                r = mdstat_parse(text, ret);
        if (r >= 0 && ret->cut)
                env->limits |= LIMIT_BIT(LIMIT_MD);
        return r;
}

int md_list(struct env *env, const struct mdstat *mdstat, char ***ret)
{
        char **blocks = NULL, **names;
        size_t n = 0, n_blocks = 0;
        int r = env_list_dir(env, &blocks, "sys/block");

        if (r < 0 && r != -ENOENT)
                return r;
        while (blocks && blocks[n_blocks])
                n_blocks++;
        names = calloc(n_blocks + mdstat->n + 1, sizeof(*names));
        for (size_t i = 0; names && i < n_blocks; i++)
                if (env_exists(env, "sys/block/%s/md", blocks[i]))
                        names[n++] = strdup(blocks[i]);
        for (size_t i = 0; names && i < mdstat->n; i++)
                if (!env_exists(env, "sys/block/%s/md", mdstat->arrays[i].name))
                        names[n++] = strdup(mdstat->arrays[i].name);
        env_list_free(blocks);
        if (!names)
                return -ENOMEM;
        *ret = names;
        return 0;
}

/* sysfs writes the slash of "cciss/c0d0" as an exclamation mark. */
static void plain_name(char *s)
{
        for (; (s = strchr(s, '!')); s++)
                *s = '/';
}

static struct md_member *member_add(struct env *env, struct md_array *a)
{
        struct md_member *m;

        if (a->n_members == MEMBERS_MAX) {
                env->limits |= LIMIT_BIT(LIMIT_MD);
                return NULL;
        }
        if (!a->members)
                a->members = calloc(MEMBERS_MAX, sizeof(*a->members));
        if (!a->members)
                return NULL;
        m = &a->members[a->n_members++];
        *m = (struct md_member){ .slot = -1, .read_errors = -1 };
        return m;
}

static bool has_word(const char *list, const char *word)
{
        size_t n = strlen(word);

        for (const char *p = list; *p; p += strcspn(p, ","), p += *p == ',')
                if (strncmp(p, word, n) == 0 && (p[n] == ',' || p[n] == '\0'))
                        return true;
        return false;
}

static void find_disk(struct env *env, struct md_member *m)
{
        if (block_disk_of(env, m->name, m->disk, sizeof(m->disk)) < 0)
                strcpy(m->disk, m->name);
}

/* dev-sda1 */
static int read_member(struct env *env, struct md_array *a, const char *dir)
{
        char state[128], slot[32];
        struct md_member *m;
        int64_t v;
        int r = env_read(env, state, sizeof(state), "sys/block/%s/md/%s/state", a->name, dir);

        if (r == -ENOENT || r == -ENODEV)
                return 0; /* removed while we look */
        if (r < 0) {
                env_end_errno(env, r, "sys/block/%s/md/%s/state", a->name, dir);
                return r;
        }
        m = member_add(env, a);
        if (!m)
                return 0;
        snprintf(m->name, sizeof(m->name), "%s", dir + strlen("dev-"));
        m->faulty = has_word(state, "faulty");
        m->journal = has_word(state, "journal");
        m->in_sync = has_word(state, "in_sync") && !m->faulty;
        /* A disk that was pulled: md notices only at its next write. */
        m->gone = env_exists(env, "sys/class/block") && !env_exists(env, "sys/class/block/%s", m->name);
        if (env_read(env, slot, sizeof(slot), "sys/block/%s/md/%s/slot", a->name, dir) > 0 && slot[0] >= '0' && slot[0] <= '9')
                m->slot = atoi(slot);
        if (env_read_i64(env, &v, "sys/block/%s/md/%s/errors", a->name, dir) == 0)
                m->read_errors = v;
        find_disk(env, m);
        plain_name(m->name);
        return 0;
}

/* mdstat tells neither slots nor who is rebuilding: those with the highest numbers are the newcomers. */
static void members_from_mdstat(struct env *env, struct md_array *a, const struct mdstat_array *s)
{
        for (size_t i = 0; i < s->n_members; i++) {
                const struct mdstat_member *from = &s->members[i];
                struct md_member *m = member_add(env, a);
                int before = 0;

                if (!m)
                        return;
                snprintf(m->name, sizeof(m->name), "%s", from->name);
                m->faulty = from->faulty;
                m->journal = from->journal;
                for (size_t j = 0; j < s->n_members; j++)
                        before += !s->members[j].faulty && !s->members[j].spare && !s->members[j].journal &&
                                  s->members[j].number < from->number;
                m->in_sync = !from->faulty && !from->spare && !from->journal && (s->active_disks < 0 || before < s->active_disks);
                find_disk(env, m);
        }
}

static void read_progress(struct env *env, struct md_array *a)
{
        char text[64];
        long long done, total;
        int64_t kib;

        if (env_read(env, text, sizeof(text), "sys/block/%s/md/sync_completed", a->name) < 0)
                return;
        if (streq(text, "delayed"))
                a->waiting = true;
        if (sscanf(text, "%lld / %lld", &done, &total) != 2 || total <= 0 || done < 0 || done > total)
                return;
        a->ratio = (double)done / (double)total;
        if (env_read_i64(env, &kib, "sys/block/%s/md/sync_speed", a->name) < 0 || kib <= 0 || kib > INT64_MAX / 1024)
                return;
        a->speed_bytes = kib * 1024;
        a->remaining_s = (double)(total - done) * 512 / (double)a->speed_bytes;
}

static const char *action_of(const struct mdstat_array *s)
{
        static const char *const actions[MDSTAT_SYNC_MAX] = {
                [MDSTAT_IDLE] = "idle", [MDSTAT_RESYNC] = "resync", [MDSTAT_RECOVERY] = "recover",
                [MDSTAT_CHECK] = "check", [MDSTAT_RESHAPE] = "reshape",
        };

        return actions[s->sync];
}

static void fill_from_mdstat(struct env *env, struct md_array *a, const struct mdstat_array *s)
{
        if (!a->level[0])
                snprintf(a->level, sizeof(a->level), "%s", s->level);
        if (!a->state[0])
                snprintf(a->state, sizeof(a->state), "%s",
                         s->broken ? "broken" : !s->active ? "inactive" : s->readonly ? "readonly" : s->auto_readonly ? "read-auto" : "active");
        if (a->raid_disks < 0)
                a->raid_disks = s->raid_disks;
        if (!a->action[0]) {
                snprintf(a->action, sizeof(a->action), "%s", action_of(s));
                a->waiting = s->waiting;
                a->ratio = s->ratio;
                a->remaining_s = s->finish_min * 60;
                a->speed_bytes = s->speed_kib >= 0 && s->speed_kib < INT64_MAX / 1024 ? s->speed_kib * 1024 : -1;
        }
        if (str_starts(s->metadata, "external:") && !str_starts(s->metadata, "external:/") && !s->active)
                a->container = true;
        if (a->n_members == 0)
                members_from_mdstat(env, a, s);
}

static int raid10_copies(struct env *env, const struct md_array *a, const struct mdstat_array *s)
{
        int64_t layout;

        if (env_read_i64(env, &layout, "sys/block/%s/md/layout", a->name) == 0 && layout > 0)
                return (int)MAX(layout & 0xff, 1) * (int)MAX((layout >> 8) & 0xff, 1);
        return s && s->copies > 0 ? s->copies : 2;
}

static int redundancy_of(struct env *env, const struct md_array *a, const struct mdstat_array *s)
{
        static const struct {
                const char *level;
                int parity;
        } levels[] = { { "raid4", 1 }, { "raid5", 1 }, { "raid6", 2 } };

        for (size_t i = 0; i < ARRAY_LEN(levels); i++)
                if (streq(a->level, levels[i].level))
                        return levels[i].parity;
        if (streq(a->level, "raid1") || streq(a->level, "multipath"))
                return MAX(a->raid_disks - 1, 0);
        return streq(a->level, "raid10") ? raid10_copies(env, a, s) - 1 : 0;
}

static int count_lost(struct env *env, const struct md_array *a)
{
        int64_t degraded = 0;
        int in_sync = 0, gone = 0;

        for (size_t i = 0; i < a->n_members; i++) {
                in_sync += a->members[i].in_sync && !a->members[i].journal;
                gone += a->members[i].in_sync && a->members[i].gone;
        }
        if (a->raid_disks <= 0)
                return 0;
        if (env_read_i64(env, &degraded, "sys/block/%s/md/degraded", a->name) == 0 && degraded >= 0 && degraded <= a->raid_disks)
                return MIN((int)degraded + gone, a->raid_disks);
        return a->n_members ? MIN(MAX(a->raid_disks - in_sync, 0) + gone, a->raid_disks) : 0;
}

static int read_members(struct env *env, struct md_array *a)
{
        char **names;
        int r = env_list_dir(env, &names, "sys/block/%s/md", a->name);

        if (r < 0)
                return 0; /* mdstat alone knows it */
        for (size_t i = 0; names[i] && r >= 0; i++)
                if (str_starts(names[i], "dev-"))
                        r = read_member(env, a, names[i]);
        env_list_free(names);
        return r;
}

int md_read(struct env *env, const struct mdstat *mdstat, const char *name, struct md_array *ret)
{
        const struct mdstat_array *s = mdstat_find(mdstat, name);
        struct md_array a = { .raid_disks = -1, .ratio = NAN, .remaining_s = NAN, .speed_bytes = -1, .mismatches = -1 };
        char text[64];
        int64_t v;
        int r;

        if (strlen(name) >= sizeof(a.name) || strchr(name, '/'))
                return -ENOENT;
        strcpy(a.name, name);
        r = env_read(env, a.state, sizeof(a.state), "sys/block/%s/md/array_state", name);
        if (r == -ENOENT && !s)
                return -ENOENT;
        if (r < 0 && r != -ENOENT) {
                env_end_errno(env, r, "sys/block/%s/md/array_state", name);
                return r;
        }
        if (streq(a.state, "clear"))
                return -ENOENT;
        env_read(env, a.level, sizeof(a.level), "sys/block/%s/md/level", name);
        env_read(env, a.action, sizeof(a.action), "sys/block/%s/md/sync_action", name);
        env_read(env, a.uuid, sizeof(a.uuid), "sys/block/%s/md/uuid", name);
        /* "3 (2)" while it is being reshaped: what it will be, what it was */
        if (env_read(env, text, sizeof(text), "sys/block/%s/md/raid_disks", name) > 0 && text[0] >= '0' && text[0] <= '9')
                a.raid_disks = (int)MIN(strtol(text, NULL, 10), 65535);
        if (env_read(env, text, sizeof(text), "sys/block/%s/md/metadata_version", name) > 0)
                a.container = str_starts(text, "external:") && !str_starts(text, "external:/") && !streq(a.state, "active");
        if (streq(a.level, "container"))
                a.container = true;
        if (env_read_i64(env, &v, "sys/block/%s/md/mismatch_cnt", name) == 0)
                a.mismatches = v;
        r = read_members(env, &a);
        if (r < 0) {
                md_done(&a);
                return r;
        }
        read_progress(env, &a);
        if (s)
                fill_from_mdstat(env, &a, s);
        if (!a.action[0])
                strcpy(a.action, "idle");
        a.redundancy = redundancy_of(env, &a, s);
        a.lost = count_lost(env, &a);
        *ret = a;
        return 0;
}

void md_done(struct md_array *array)
{
        free(array->members);
        *array = (struct md_array){ 0 };
}

bool md_failed(const struct md_array *a)
{
        if (streq(a->state, "inactive") || streq(a->state, "broken"))
                return true;
        /* A raid10 may lose one of each pair: certain only when a copy of everything cannot be left. */
        if (streq(a->level, "raid10"))
                return a->lost > 0 && a->raid_disks - a->lost < (a->raid_disks + a->redundancy) / (a->redundancy + 1);
        return a->lost > a->redundancy;
}

int md_left(const struct md_array *a)
{
        return MAX(a->redundancy - a->lost, 0);
}
