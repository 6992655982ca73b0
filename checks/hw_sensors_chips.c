/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* libsensors: start it, below another root if need be, and give every chip its names.
 *
 * libsensors has /sys compiled in and insists that it is a sysfs. Below --root DIR the process (which lives
 * for one run only) therefore leaves for a mount namespace of its own, where DIR/sys/class and DIR/sys/devices
 * lie over the real ones. Without the right to do so (no user namespaces) that is "denied", never the host's own values. */

#include "hw_sensors.h"

#include <limits.h>
#include <sched.h>
#include <sensors/error.h>
#include <sys/mount.h>

#define CHIPS_MAX 512

/* Prefixes as the kernel's drivers give them. A name that ends in '*' stands for all that begin so. */
static const struct {
        const char *prefix;
        enum chip_class class;
} chip_classes[] = {
        /* Super-I/O chips and board monitors: wired by the board's maker, limits set by nobody. */
        { "nct6*", CHIP_BOARD },   { "nct7*", CHIP_BOARD },   { "w83*", CHIP_BOARD },    { "it8*", CHIP_BOARD },
        { "f718*", CHIP_BOARD },   { "f75*", CHIP_BOARD },    { "f8000", CHIP_BOARD },   { "f81*", CHIP_BOARD },
        { "sch5*", CHIP_BOARD },   { "smsc47*", CHIP_BOARD }, { "emc6*", CHIP_BOARD },   { "dme1737", CHIP_BOARD },
        { "pc87*", CHIP_BOARD },   { "vt1211", CHIP_BOARD },  { "vt8231", CHIP_BOARD },  { "via686a", CHIP_BOARD },
        { "sis5595", CHIP_BOARD }, { "asb100", CHIP_BOARD },  { "lm78*", CHIP_BOARD },   { "lm80", CHIP_BOARD },
        { "lm85*", CHIP_BOARD },   { "adm1*", CHIP_BOARD },   { "adt7*", CHIP_BOARD },   { "asus*", CHIP_BOARD },
        { "atk0110", CHIP_BOARD }, { "gigabyte_wmi", CHIP_BOARD },
        { "spd5118", CHIP_UNSET_MAX }, { "jc42", CHIP_UNSET_MAX },
        { "corsairpsu", CHIP_ZERO_FAN }, { "thinkpad", CHIP_ZERO_FAN }, { "dell_smm", CHIP_ZERO_FAN },
        { "applesmc", CHIP_ZERO_FAN },   { "macsmc*", CHIP_ZERO_FAN },  { "hp*", CHIP_ZERO_FAN },
        { "cros_ec", CHIP_ZERO_FAN },    { "acpi_fan", CHIP_ZERO_FAN }, { "pwmfan", CHIP_ZERO_FAN },
        { "amdgpu", CHIP_SLEEPER },      { "nouveau", CHIP_SLEEPER },   { "radeon", CHIP_SLEEPER },
        { "i915", CHIP_SLEEPER },        { "xe", CHIP_SLEEPER },        { "iwlwifi*", CHIP_SLEEPER },
        { "mt7*", CHIP_SLEEPER },        { "ath1*", CHIP_SLEEPER },     { "rtw*", CHIP_SLEEPER },
};

static enum chip_class class_of(const char *prefix)
{
        for (size_t i = 0; i < ARRAY_LEN(chip_classes); i++) {
                const char *p = chip_classes[i].prefix;
                size_t n = strlen(p);

                if (p[n - 1] == '*' ? strncmp(prefix, p, n - 1) == 0 : streq(prefix, p))
                        return chip_classes[i].class;
        }
        return CHIP_PLAIN;
}

static int bind_over(const char *root, const char *path)
{
        char from[PATH_MAX];

        if (snprintf(from, sizeof(from), "%s%s", root, path) >= (int)sizeof(from))
                return -ENAMETOOLONG;
        if (access(from, F_OK) < 0)
                return errno == ENOENT ? 0 : neg_errno();
        return mount(from, path, "none", MS_BIND | MS_REC, NULL) < 0 ? neg_errno() : 0;
}

/* Once per process; a second root (tests) takes the place of the first. */
static int enter_root(struct env *env)
{
        static char entered[PATH_MAX] = "/";
        char root[PATH_MAX];
        int r;

        if (streq(env->root, "/"))
                return streq(entered, "/") ? 0 : -EXDEV;
        if (!realpath(env->root, root))
                return neg_errno();
        if (streq(root, entered))
                return 0;
        if (streq(entered, "/")) {
                /* Root needs no user namespace; everybody else gets the right to mount only in one. */
                if (unshare(CLONE_NEWNS) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
                        return neg_errno();
                if (mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0)
                        return neg_errno();
        } else {
                umount2("/sys/class", MNT_DETACH);
                umount2("/sys/devices", MNT_DETACH);
        }
        r = bind_over(root, "/sys/class");
        if (r == 0)
                r = bind_over(root, "/sys/devices");
        if (r == 0)
                strcpy(entered, root);
        return r;
}

static unsigned parse_errors;

static void count_parse_error(const char *err UNUSED, const char *filename UNUSED, int line UNUSED)
{
        parse_errors++;
}

static int start_with(const char *config)
{
        _cleanup_fclose_ FILE *f = config ? fopen(config, "re") : fmemopen((void *)"\n", 1, "r");

        return f ? sensors_init(f) : -SENSORS_ERR_PARSE;
}

/* A sensors.conf with errors must not blind us: then without it, and the rules say so. */
static int start(struct env *env, unsigned *ret_config_errors)
{
        char config[PATH_MAX];
        int r;

        sensors_parse_error_wfn = count_parse_error;
        parse_errors = 0;
        snprintf(config, sizeof(config), "%s/etc/sensors3.conf", env->root);
        if (streq(env->root, "/"))
                r = sensors_init(NULL); /* also reads /etc/sensors.d */
        else
                r = start_with(access(config, F_OK) == 0 ? config : NULL);
        if (r == -SENSORS_ERR_PARSE || (r < 0 && parse_errors > 0)) {
                parse_errors = MAX(parse_errors, 1u);
                sensors_cleanup();
                r = start_with(NULL);
        }
        *ret_config_errors = parse_errors;
        return r;
}

/* [^a-z0-9:_] becomes _, at both ends it goes: so node_exporter's dashboards find it. */
static void clean_name(char *buf, size_t size, const char *s, const char *end)
{
        size_t n = 0;

        for (; s < end && n + 1 < size; s++) {
                char c = *s >= 'A' && *s <= 'Z' ? (char)(*s - 'A' + 'a') : *s;

                buf[n++] = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == ':' ? c : '_';
        }
        while (n > 0 && buf[n - 1] == '_')
                n--;
        buf[n] = '\0';
        memmove(buf, buf + strspn(buf, "_"), n + 1 - strspn(buf, "_"));
}

/* "platform_nct6775_656": the last two parts of the resolved device link, else the chip's own name. */
static void name_for_node_exporter(struct env *env, struct sensor_chip *c)
{
        char link[PATH_MAX], real[PATH_MAX], bus[64], dev[64];
        const char *base, *parent;

        snprintf(link, sizeof(link), "%s/sys/class/hwmon/%s/device", streq(env->root, "/") ? "" : env->root, c->hwmon);
        if (realpath(link, real) && (base = strrchr(real, '/')) && base > real) {
                for (parent = base; parent > real && parent[-1] != '/'; parent--)
                        ;
                clean_name(bus, sizeof(bus), parent, base);
                clean_name(dev, sizeof(dev), base + 1, base + strlen(base));
                if (dev[0]) {
                        snprintf(c->hwmon_chip, sizeof(c->hwmon_chip), "%s%s%s", bus, bus[0] ? "_" : "", dev);
                        return;
                }
        }
        clean_name(c->hwmon_chip, sizeof(c->hwmon_chip), c->chip_name, c->chip_name + strlen(c->chip_name));
        if (!c->hwmon_chip[0])
                snprintf(c->hwmon_chip, sizeof(c->hwmon_chip), "%s", c->hwmon);
}

/* "nvme0n1" out of nvme0's directory; with multipath it holds nvme0c0n1, the disk is nvme0n1 all the same. */
static void find_nvme_disk(struct env *env, struct sensor_chip *c)
{
        char **names;
        unsigned ctrl, path, ns;

        if (env_list_dir(env, &names, "sys/class/hwmon/%s/device", c->hwmon) < 0)
                return;
        for (size_t i = 0; names[i] && !c->disk[0]; i++)
                if (sscanf(names[i], "nvme%un%u", &ctrl, &ns) == 2 || sscanf(names[i], "nvme%uc%un%u", &ctrl, &path, &ns) == 3)
                        snprintf(c->disk, sizeof(c->disk), "nvme%un%u", ctrl, ns);
        env_list_free(names);
}

static void find_scsi_disk(struct env *env, struct sensor_chip *c)
{
        char **names;

        if (env_list_dir(env, &names, "sys/class/hwmon/%s/device/block", c->hwmon) < 0)
                return;
        if (names[0])
                snprintf(c->disk, sizeof(c->disk), "%.31s", names[0]);
        env_list_free(names);
}

/* What people replace: a disk's chip is the disk. */
static void find_component(struct env *env, struct sensor_chip *c)
{
        static const char *const psu_drivers[] = { "corsairpsu", "dps920ab", "fsp*", "pfe*", "bel*", "cffps*", "ibm-cffps",
                                                   "lenovo*", "inspur*", "stpddc*", "crps", "dps1900", "q54sj108a2", "acbel*" };

        if (streq(c->chip_name, "nvme"))
                find_nvme_disk(env, c);
        else if (streq(c->chip_name, "drivetemp"))
                find_scsi_disk(env, c);
        snprintf(c->component, sizeof(c->component), "%s", c->disk[0] ? c->disk : c->instance);
        /* What a disk is, the disk's own checks say: when drivetemp is unloaded, no disk is gone. */
        strcpy(c->kind, c->disk[0] ? "" : "sensor");
        for (size_t i = 0; i < ARRAY_LEN(psu_drivers); i++) {
                size_t n = strcspn(psu_drivers[i], "*");

                if (psu_drivers[i][n] ? strncmp(c->chip_name, psu_drivers[i], n) == 0 : streq(c->chip_name, psu_drivers[i]))
                        strcpy(c->kind, "psu");
        }
}

static void make_instance_name(struct sensor_chip *c)
{
        char buf[INSTANCE_NAME_MAX];
        int n = sensors_snprintf_chip_name(buf, sizeof(buf), c->name);

        if (n < 0 || n >= (int)sizeof(buf))
                snprintf(buf, sizeof(buf), "%s", c->hwmon);
        for (char *p = buf; *p; p++)
                if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') || strchr("._:@+,=/-", *p)))
                        *p = '_';
        strcpy(c->instance, buf);
}

/* Two chips of one name (two WLAN cards ...): the second is called NAME+2. From the last one down, so that
 * the names before it are still as they were. */
static void make_unique(struct sensor_chips *chips, size_t offset, size_t size, char separator)
{
        for (size_t i = chips->n; i-- > 1;) {
                char *name = (char *)&chips->items[i] + offset;
                unsigned nth = 1;

                for (size_t j = 0; j < i; j++)
                        if (streq((const char *)&chips->items[j] + offset, name))
                                nth++;
                if (nth > 1)
                        snprintf(name + MIN(strlen(name), size - 8), 8, "%c%u", separator, nth);
        }
}

static int compare_chips(const void *a, const void *b)
{
        const struct sensor_chip *x = a, *y = b;

        return strverscmp(x->hwmon, y->hwmon);
}

static void fill_chips(struct env *env, struct sensor_chips *chips)
{
        const sensors_chip_name *name;
        int nr = 0;

        while ((name = sensors_get_detected_chips(NULL, &nr))) {
                struct sensor_chip *c = &chips->items[chips->n];
                const char *hwmon = name->path ? strstr(name->path, "/hwmon/hwmon") : NULL;

                if (!hwmon)
                        continue; /* a chip of before Linux 2.6.21 */
                if (chips->n == CHIPS_MAX) {
                        env->limits |= LIMIT_BIT(LIMIT_SENSORS);
                        break;
                }
                c->name = name;
                snprintf(c->hwmon, sizeof(c->hwmon), "%.*s", (int)strcspn(hwmon + 7, "/"), hwmon + 7);
                snprintf(c->chip_name, sizeof(c->chip_name), "%s", name->prefix);
                c->class = class_of(c->chip_name);
                make_instance_name(c);
                name_for_node_exporter(env, c);
                chips->n++;
        }
        qsort(chips->items, chips->n, sizeof(*chips->items), compare_chips);
        make_unique(chips, offsetof(struct sensor_chip, instance), sizeof(chips->items->instance), '+');
        make_unique(chips, offsetof(struct sensor_chip, hwmon_chip), sizeof(chips->items->hwmon_chip), '_');
        for (size_t i = 0; i < chips->n; i++)
                find_component(env, &chips->items[i]);
}

int sensor_chips_open(struct env *env, struct sensor_chips *ret)
{
        struct sensor_chips chips = { 0 };
        int r;

        r = enter_root(env);
        if (r < 0) {
                env_end(env, RESULT_DENIED, "libsensors reads /sys only, and %s/sys cannot be put in its place: %s"
                        " (mount namespaces are needed for --root)", env->root, strerror(-r));
                return r == -ENOENT ? r : -EPERM;
        }
        if (!streq(env->root, "/") && !env_exists(env, "sys/class/hwmon")) {
                *ret = chips;
                return 0;
        }
        r = start(env, &chips.config_errors);
        if (r < 0) {
                env_end(env, RESULT_FAILED, "libsensors does not start: %s", sensors_strerror(r));
                sensors_cleanup();
                return -EIO;
        }
        chips.items = calloc(CHIPS_MAX, sizeof(*chips.items));
        if (!chips.items) {
                sensors_cleanup();
                return -ENOMEM;
        }
        chips.open = true;
        fill_chips(env, &chips);
        *ret = chips;
        return 0;
}

void sensor_chips_close(struct sensor_chips *chips)
{
        if (chips->open)
                sensors_cleanup();
        free(chips->items);
        *chips = (struct sensor_chips){ 0 };
}
