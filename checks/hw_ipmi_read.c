/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Asks a management controller through libipmimonitoring, in-band or over the network.
 * The library is loaded only here: every other probe would pay for it at each start (0.7 ms). */

#include "hw_ipmi.h"

#include <dlfcn.h>
#include <ipmi_monitoring.h>
#include <sys/stat.h>

#define SENSORS_MAX 1024
#define LOG_ENTRIES_MAX 16384
#define SESSION_TIMEOUT_MS 20000
#define RETRANSMISSION_TIMEOUT_MS 1000

#define IPMI_FUNCTIONS(X)                                                                                                  \
        X(ipmi_monitoring_init) X(ipmi_monitoring_ctx_create) X(ipmi_monitoring_ctx_destroy) X(ipmi_monitoring_ctx_errnum) \
        X(ipmi_monitoring_ctx_errormsg) X(ipmi_monitoring_ctx_strerror) X(ipmi_monitoring_ctx_sdr_cache_directory)         \
        X(ipmi_monitoring_sensor_readings_by_record_id) X(ipmi_monitoring_sensor_read_record_id)                           \
        X(ipmi_monitoring_sensor_read_sensor_type) X(ipmi_monitoring_sensor_read_sensor_name)                              \
        X(ipmi_monitoring_sensor_read_sensor_state) X(ipmi_monitoring_sensor_read_sensor_units)                            \
        X(ipmi_monitoring_sensor_read_sensor_reading_type) X(ipmi_monitoring_sensor_read_sensor_reading)                   \
        X(ipmi_monitoring_sensor_read_sensor_bitmask_strings) X(ipmi_monitoring_sel_by_record_id)                          \
        X(ipmi_monitoring_sel_read_sel_state) X(ipmi_monitoring_sel_read_timestamp)                                        \
        X(ipmi_monitoring_sel_read_sensor_type) X(ipmi_monitoring_sel_read_sensor_name)                                    \
        X(ipmi_monitoring_sel_read_event_direction) X(ipmi_monitoring_sel_read_event_offset_string)                        \
        X(ipmi_monitoring_sel_read_record_type_class)

struct freeipmi {
#define MEMBER(f) __typeof__(f) *f;
        IPMI_FUNCTIONS(MEMBER)
#undef MEMBER
};

static bool freeipmi_load(struct freeipmi *lib)
{
        void *so = dlopen("libipmimonitoring.so.6", RTLD_NOW);

        if (!so)
                so = dlopen("libipmimonitoring.so", RTLD_NOW); /* of the build host's -dev package: the same as its header */
        if (!so)
                return false;
#define LOAD(f)                                  \
        lib->f = (__typeof__(f) *)dlsym(so, #f); \
        if (!lib->f)                             \
                return false;
        IPMI_FUNCTIONS(LOAD)
#undef LOAD
        return true;
}

int ipmi_cache_directory(char *buf, size_t size)
{
        const char *given = getenv("RUNTIME_DIRECTORY"); /* the unit's own; systemd may list several */
        struct stat st;

        if (given && *given == '/')
                snprintf(buf, size, "%.*s", (int)strcspn(given, ":"), given);
        else if (geteuid() == 0)
                snprintf(buf, size, "/run/veille-probe");
        else
                snprintf(buf, size, "/tmp/veille-probe-%u", (unsigned)geteuid());
        if (mkdir(buf, 0700) < 0 && errno != EEXIST)
                return neg_errno();
        /* FreeIPMI believes what it finds there. */
        if (lstat(buf, &st) < 0)
                return neg_errno();
        return S_ISDIR(st.st_mode) && st.st_uid == geteuid() && !(st.st_mode & 022) ? 0 : -EPERM;
}

/* The library's errors by what they mean to us. */
static enum result end_freeipmi(struct env *env, const struct freeipmi *lib, ipmi_monitoring_ctx_t ctx, const char *what)
{
        static const struct {
                int code;
                enum result result;
        } codes[] = {
                { IPMI_MONITORING_ERR_PERMISSION, RESULT_DENIED },
                { IPMI_MONITORING_ERR_SDR_CACHE_PERMISSION, RESULT_DENIED },
                { IPMI_MONITORING_ERR_HOSTNAME_INVALID, RESULT_DENIED },
                { IPMI_MONITORING_ERR_USERNAME_INVALID, RESULT_DENIED },
                { IPMI_MONITORING_ERR_PASSWORD_INVALID, RESULT_DENIED },
                { IPMI_MONITORING_ERR_PRIVILEGE_LEVEL_INSUFFICIENT, RESULT_DENIED },
                { IPMI_MONITORING_ERR_PRIVILEGEL_LEVEL_CANNOT_BE_OBTAINED, RESULT_DENIED },
                { IPMI_MONITORING_ERR_AUTHENTICATION_TYPE_UNAVAILABLE, RESULT_DENIED },
                { IPMI_MONITORING_ERR_IPMI_2_0_UNAVAILABLE, RESULT_DENIED },
                { IPMI_MONITORING_ERR_CIPHER_SUITE_ID_UNAVAILABLE, RESULT_DENIED },
                { IPMI_MONITORING_ERR_CONNECTION_TIMEOUT, RESULT_TIMEOUT },
                { IPMI_MONITORING_ERR_SESSION_TIMEOUT, RESULT_TIMEOUT },
                /* What a controller that hangs up on the login answers with; a wrong password can look the same. */
                { IPMI_MONITORING_ERR_PASSWORD_VERIFICATION_TIMEOUT, RESULT_DENIED },
        };
        int code = lib->ipmi_monitoring_ctx_errnum(ctx);
        enum result result = RESULT_FAILED;

        for (size_t i = 0; i < ARRAY_LEN(codes); i++)
                if (codes[i].code == code)
                        result = codes[i].result;
        return env_end(env, result, "%s: %s", what, lib->ipmi_monitoring_ctx_errormsg(ctx));
}

struct session {
        const struct freeipmi *lib;
        struct ipmi_values values;
};

static double reading_value(const struct freeipmi *lib, ipmi_monitoring_ctx_t ctx)
{
        const void *value = lib->ipmi_monitoring_sensor_read_sensor_reading(ctx);

        if (!value)
                return NAN;
        switch (lib->ipmi_monitoring_sensor_read_sensor_reading_type(ctx)) {
        case IPMI_MONITORING_SENSOR_READING_TYPE_UNSIGNED_INTEGER8_BOOL:
                return *(const uint8_t *)value;
        case IPMI_MONITORING_SENSOR_READING_TYPE_UNSIGNED_INTEGER32:
                return *(const uint32_t *)value;
        case IPMI_MONITORING_SENSOR_READING_TYPE_DOUBLE:
                return *(const double *)value;
        default:
                return NAN;
        }
}

/* Fahrenheit becomes Celsius; a unit FreeIPMI does not name is a plain number. */
static enum ipmi_unit reading_unit(const struct freeipmi *lib, ipmi_monitoring_ctx_t ctx, double *value)
{
        switch (lib->ipmi_monitoring_sensor_read_sensor_units(ctx)) {
        case IPMI_MONITORING_SENSOR_UNITS_FAHRENHEIT:
                *value = (*value - 32) / 1.8;
                return IPMI_UNIT_CELSIUS;
        case IPMI_MONITORING_SENSOR_UNITS_CELSIUS:
                return IPMI_UNIT_CELSIUS;
        case IPMI_MONITORING_SENSOR_UNITS_VOLTS:
                return IPMI_UNIT_VOLTS;
        case IPMI_MONITORING_SENSOR_UNITS_AMPS:
                return IPMI_UNIT_AMPERES;
        case IPMI_MONITORING_SENSOR_UNITS_RPM:
                return IPMI_UNIT_RPM;
        case IPMI_MONITORING_SENSOR_UNITS_WATTS:
                return IPMI_UNIT_WATTS;
        case IPMI_MONITORING_SENSOR_UNITS_PERCENT:
                return IPMI_UNIT_PERCENT;
        default:
                return IPMI_UNIT_NONE;
        }
}

static enum ipmi_state to_state(int state)
{
        return state >= IPMI_NOMINAL && state < IPMI_UNKNOWN ? (enum ipmi_state)state : IPMI_UNKNOWN;
}

/* FreeIPMI puts each event in quotes: 'OK'. */
static void join_events(char *buf, size_t size, char **strings)
{
        size_t n = 0;

        buf[0] = '\0';
        for (; strings && *strings && n < size; strings++) {
                const char *s = *strings;
                size_t len = strlen(s);

                if (len >= 2 && s[0] == '\'' && s[len - 1] == '\'')
                        s++, len -= 2;
                n += (size_t)snprintf(buf + n, size - n, "%s%.*s", n ? ", " : "", (int)len, s);
        }
}

static int on_sensor(ipmi_monitoring_ctx_t ctx, void *data)
{
        struct session *s = data;
        const struct freeipmi *lib = s->lib;
        const char *name = lib->ipmi_monitoring_sensor_read_sensor_name(ctx);
        char event[256];
        struct ipmi_reading r = {
                .id = (unsigned)lib->ipmi_monitoring_sensor_read_record_id(ctx),
                .type = lib->ipmi_monitoring_sensor_read_sensor_type(ctx),
                .name = name ? name : "",
                .state = to_state(lib->ipmi_monitoring_sensor_read_sensor_state(ctx)),
                .value = reading_value(lib, ctx),
                .event = event,
        };

        if (s->values.sensors >= SENSORS_MAX) {
                s->values.env->limits |= LIMIT_BIT(LIMIT_IPMI);
                return 0;
        }
        r.unit = reading_unit(lib, ctx, &r.value);
        join_events(event, sizeof(event), lib->ipmi_monitoring_sensor_read_sensor_bitmask_strings(ctx));
        ipmi_values_reading(&s->values, &r);
        return 0;
}

static int on_log_entry(ipmi_monitoring_ctx_t ctx, void *data)
{
        struct session *s = data;
        const struct freeipmi *lib = s->lib;
        enum ipmi_state state = to_state(lib->ipmi_monitoring_sel_read_sel_state(ctx));
        const char *name, *event;
        unsigned when = 0;

        if (s->values.log_entries >= LOG_ENTRIES_MAX) {
                s->values.env->limits |= LIMIT_BIT(LIMIT_IPMI);
                return 0;
        }
        if (lib->ipmi_monitoring_sel_read_record_type_class(ctx) != IPMI_MONITORING_SEL_RECORD_TYPE_CLASS_SYSTEM_EVENT_RECORD) {
                ipmi_values_log_entry(&s->values, -1, IPMI_UNKNOWN, "", "", 0);
                return 0;
        }
        /* The end of something bad is no bad news. */
        if (lib->ipmi_monitoring_sel_read_event_direction(ctx) != IPMI_MONITORING_SEL_EVENT_DIRECTION_ASSERTION)
                state = IPMI_NOMINAL;
        name = lib->ipmi_monitoring_sel_read_sensor_name(ctx);
        event = lib->ipmi_monitoring_sel_read_event_offset_string(ctx);
        lib->ipmi_monitoring_sel_read_timestamp(ctx, &when);
        ipmi_values_log_entry(&s->values, lib->ipmi_monitoring_sel_read_sensor_type(ctx), state, name ? name : "", event ? event : "", when);
        return 0;
}

static void fill_config(struct ipmi_monitoring_ipmi_config *c, const struct ipmi_target *t)
{
        *c = (struct ipmi_monitoring_ipmi_config){
                .driver_type = IPMI_MONITORING_DRIVER_TYPE_OPENIPMI,
                .disable_auto_probe = 1, /* probing would look for port addresses in /dev/mem */
                .driver_device = (char *)t->device,
                .protocol_version = t->protocol_1_5 ? IPMI_MONITORING_PROTOCOL_VERSION_1_5 : IPMI_MONITORING_PROTOCOL_VERSION_2_0,
                .username = (char *)t->user,
                .password = (char *)t->password,
                .privilege_level = IPMI_MONITORING_PRIVILEGE_LEVEL_USER,
                .authentication_type = IPMI_MONITORING_AUTHENTICATION_TYPE_MD5,
                .cipher_suite_id = t->cipher_suite,
                .session_timeout_len = SESSION_TIMEOUT_MS,
                .retransmission_timeout_len = RETRANSMISSION_TIMEOUT_MS,
        };
        /* Some controllers (Sun, Supermicro, OpenIPMI's) say "level 0" when they grant one. What is really not
         * granted fails later, with the first command. */
        if (t->host && !t->protocol_1_5)
                c->workaround_flags = IPMI_MONITORING_WORKAROUND_FLAGS_PROTOCOL_VERSION_2_0_OPEN_SESSION_PRIVILEGE;
}

static enum result read_with(struct env *env, const struct freeipmi *lib, ipmi_monitoring_ctx_t ctx, const struct ipmi_target *t)
{
        struct session s = { .lib = lib, .values = { .env = env, .instance = t->instance } };
        struct ipmi_monitoring_ipmi_config config;
        char cache[256];
        int r = ipmi_cache_directory(cache, sizeof(cache));

        if (r < 0)
                return env_end(env, RESULT_DENIED, "%s must be a directory of this user alone: %s", cache, strerror(-r));
        if (lib->ipmi_monitoring_ctx_sdr_cache_directory(ctx, cache) < 0)
                return end_freeipmi(env, lib, ctx, cache);
        fill_config(&config, t);
        if (lib->ipmi_monitoring_sensor_readings_by_record_id(ctx, t->host, &config,
                                                              IPMI_MONITORING_SENSOR_READING_FLAGS_IGNORE_NON_INTERPRETABLE_SENSORS,
                                                              NULL, 0, on_sensor, &s) < 0)
                return end_freeipmi(env, lib, ctx, "reading the sensors of the management controller");
        if (lib->ipmi_monitoring_sel_by_record_id(ctx, t->host, &config, 0, NULL, 0, on_log_entry, &s) < 0)
                return end_freeipmi(env, lib, ctx, "reading the event log of the management controller");
        return ipmi_values_end(&s.values);
}

enum result ipmi_read(struct env *env, const struct ipmi_target *target)
{
        struct freeipmi lib;
        ipmi_monitoring_ctx_t ctx;
        enum result result;
        int code = 0;

        if (!freeipmi_load(&lib))
                return env_end(env, RESULT_DENIED, "libipmimonitoring cannot be loaded: install libipmimonitoring6 (%s)", dlerror());
        if (lib.ipmi_monitoring_init(0, &code) < 0)
                return env_end(env, RESULT_FAILED, "libipmimonitoring does not start: %s", lib.ipmi_monitoring_ctx_strerror(code));
        ctx = lib.ipmi_monitoring_ctx_create();
        if (!ctx)
                return env_end(env, RESULT_FAILED, "libipmimonitoring: %s", strerror(errno));
        result = read_with(env, &lib, ctx, target);
        lib.ipmi_monitoring_ctx_destroy(ctx);
        return result;
}
