/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* See disk_find.h. Order: what the admin configured ([device NAME]) comes first and takes its kernel disk away
 * from the automatic part. */

#include "disk_find.h"

#include <ctype.h>
#include <jansson.h>
#include <sys/stat.h>

#include "disk_id.h"
#include "disk_smartctl.h"
#include "smartctl_json.h"

#define PLACES_MAX 512
#define SCAN_DEADLINE_S 10
#define SCAN_MAX (1024 * 1024)

/* Host adapters that hide their disks (what they show are volumes), and smartctl's word for a disk behind one. */
static const struct raid_driver {
        const char *name, *type;
} raid_drivers[] = {
        { "megaraid_sas", "megaraid" }, { "hpsa", "cciss" },    { "aacraid", "aacraid" },
        { "arcmsr", "areca" },          { "3w-9xxx", "3ware" }, { "3w-sas", "3ware" },
};

/* SCSI vendors of volumes, as against disks that such an adapter passes through. */
static const char *const volume_vendors[] = { "LSI", "AVAGO", "BROADCOM", "DELL", "HP", "HPE", "Adaptec", "ASR", "Areca",
                                              "AMCC", "3ware", "IBM", "Lenovo", "LENOVO", "Intel", "FTS", "SuperMicr", "Cisco" };

static const struct raid_driver *raid_driver_of(struct env *env, const char *host)
{
        char name[32] = "";

        env_read(env, name, sizeof(name), "sys/class/scsi_host/%s/proc_name", host);
        for (size_t i = 0; i < ARRAY_LEN(raid_drivers); i++)
                if (streq(name, raid_drivers[i].name))
                        return &raid_drivers[i];
        return NULL;
}

static struct disk_place *add(struct env *env, struct disk_places *places, const char *name, enum disk_asker asker)
{
        struct disk_place *p;

        if (places->n == PLACES_MAX) {
                env->limits |= LIMIT_BIT(LIMIT_DISKS);
                return NULL;
        }
        p = reallocarray(places->items, places->n + 1, sizeof(*p));
        if (!p)
                return NULL;
        places->items = p;
        p = &p[places->n++];
        *p = (struct disk_place){ .asker = asker };
        snprintf(p->name, sizeof(p->name), "%s", name);
        snprintf(p->component, sizeof(p->component), "%s", name);
        return p;
}

void disk_places_done(struct disk_places *places)
{
        free(places->items);
        *places = (struct disk_places){ 0 };
}

const struct disk_place *disk_places_by_name(const struct disk_places *places, const char *name)
{
        for (size_t i = 0; i < places->n; i++)
                if (streq(places->items[i].name, name))
                        return &places->items[i];
        return NULL;
}

static bool has_path(const struct disk_places *places, const char *path)
{
        for (size_t i = 0; i < places->n; i++)
                if (streq(places->items[i].path, path))
                        return true;
        return false;
}

/* Serial numbers come padded and sometimes with bytes nobody can type: what stays is letters, digits and a few signs. */
static void clean_id(char *id)
{
        char *out = id;

        for (const char *p = id; *p; p++)
                if (isalnum((unsigned char)*p) || strchr("._:+-", *p))
                        *out++ = *p;
        *out = '\0';
}

static void read_scsi_id(struct env *env, const char *disk, char *id, size_t size)
{
        char wwid[256] = "";

        env_read(env, wwid, sizeof(wwid), "sys/block/%s/device/wwid", disk);
        if (str_starts(wwid, "naa.")) {
                snprintf(id, size, "%s", wwid + 4);
                for (char *p = id; *p; p++)
                        *p = (char)tolower((unsigned char)*p);
                return;
        }
        disk_vpd_serial(env, disk, id, size);
        /* "t10.ATA     MODEL                SERIAL": the last word. */
        if (!id[0] && str_starts(wwid, "t10.")) {
                const char *last = strrchr(wwid, ' ');

                snprintf(id, size, "%s", last ? last + 1 : wwid + 4);
                clean_id(id);
        }
}

/* A volume of a RAID controller, as against a disk that it passes through. */
static bool is_raid_volume(struct env *env, const char *disk, const char *vendor)
{
        char link[64], host[32];

        /* The device link ends in "H:C:T:L". */
        if (env_readlink(env, link, sizeof(link), "sys/block/%s/device", disk) < 0 || !isdigit((unsigned char)link[0]))
                return false;
        snprintf(host, sizeof(host), "host%d", atoi(link));
        if (!raid_driver_of(env, host))
                return false;
        for (size_t i = 0; i < ARRAY_LEN(volume_vendors); i++)
                if (streq(vendor, volume_vendors[i]))
                        return true;
        return false;
}

/* libatasmart opens the node; where there is none (a broken udev, a container) smartctl gets to say what is wrong.
 * Under --root a regular file is data saved by "skdump --save". */
static bool atasmart_can_open(struct env *env, const char *disk)
{
        struct stat st;
        char path[64];

        snprintf(path, sizeof(path), "dev/%s", disk);
        return fstatat(env->root_fd, path, &st, 0) == 0 && (S_ISBLK(st.st_mode) || (S_ISREG(st.st_mode) && !streq(env->root, "/")));
}

static void add_scsi_disk(struct env *env, struct disk_places *places, const char *disk)
{
        char vendor[64] = "", path[64];
        int64_t removable = 0;
        struct disk_place *p;
        bool ata;

        snprintf(path, sizeof(path), "/dev/%s", disk);
        env_read(env, vendor, sizeof(vendor), "sys/block/%s/device/vendor", disk);
        env_read_i64(env, &removable, "sys/block/%s/removable", disk);
        /* Sticks and card readers have no SMART. */
        if (removable || has_path(places, path) || is_raid_volume(env, disk, vendor))
                return;
        ata = streq(vendor, "ATA") && atasmart_can_open(env, disk);
        p = add(env, places, disk, ata ? DISK_ASK_ATASMART : DISK_ASK_SMARTCTL);
        if (!p)
                return;
        snprintf(p->path, sizeof(p->path), "%s", path);
        read_scsi_id(env, disk, p->id, sizeof(p->id));
}

/* "nvme0n1" -> "nvme0", 1; hidden paths of multipath devices ("nvme0c1n1") and partitions are none. */
static bool split_nvme(const char *disk, char *controller, size_t size, int *ret_namespace)
{
        int c, n, end = 0;

        if (sscanf(disk, "nvme%dn%d%n", &c, &n, &end) != 2 || disk[end])
                return false;
        snprintf(controller, size, "nvme%d", c);
        *ret_namespace = n;
        return true;
}

/* One instance a controller: health belongs to it, not to its namespaces. The component is the block device, by
 * which file systems know it; of several namespaces the first. */
static void add_nvme_disk(struct env *env, struct disk_places *places, const char *disk)
{
        char controller[32], path[64], transport[16] = "pcie";
        struct disk_place *p;
        int ns;

        if (!split_nvme(disk, controller, sizeof(controller), &ns))
                return;
        snprintf(path, sizeof(path), "/dev/%s", controller);
        env_read(env, transport, sizeof(transport), "sys/class/nvme/%s/transport", controller);
        /* The disk of another host, reached over a network, is that host's to watch. */
        if (!streq(transport, "pcie") || has_path(places, path))
                return;
        p = add(env, places, controller, DISK_ASK_SMARTCTL);
        if (!p)
                return;
        snprintf(p->component, sizeof(p->component), "%s", disk);
        snprintf(p->path, sizeof(p->path), "%s", path);
        snprintf(p->type, sizeof(p->type), "nvme");
        if (env_read(env, p->id, sizeof(p->id), "sys/class/nvme/%s/serial", controller) < 0)
                env_read(env, p->id, sizeof(p->id), "sys/block/%s/device/serial", disk);
        clean_id(p->id);
}

/* smartctl's device types that go through a controller carry a number: "megaraid,5", "sat+cciss,0". */
static bool is_raid_type(const char *type)
{
        return strchr(type, ',') != NULL && !str_starts(type, "usb") && !str_starts(type, "snt") && !str_starts(type, "nvme,");
}

static bool type_ok(const char *type)
{
        for (; *type; type++)
                if (!isalnum((unsigned char)*type) && !strchr(",+/_.:-", *type))
                        return false;
        return true;
}

static void add_configured(struct env *env, struct disk_places *places)
{
        const char *const *names = config_section_names(env->config, "device");

        for (size_t i = 0; names && names[i]; i++) {
                const char *path = config_string(env->config, "device", names[i], "path");
                const char *type = config_string(env->config, "device", names[i], "type");
                struct disk_place *p;

                if (!path || !str_starts(path, "/dev/") || strstr(path, "..") || (type && !type_ok(type)))
                        continue; /* the brain reports bad values */
                p = add(env, places, names[i], type && is_raid_type(type) ? DISK_ASK_RAID : DISK_ASK_SMARTCTL);
                if (!p)
                        return;
                snprintf(p->path, sizeof(p->path), "%s", path);
                snprintf(p->type, sizeof(p->type), "%s", type ? type : "");
                /* A kernel disk under another type keeps its identity; a member behind a controller has its own. */
                if (p->asker == DISK_ASK_SMARTCTL) {
                        snprintf(p->component, sizeof(p->component), "%s", path + 5);
                        read_scsi_id(env, path + 5, p->id, sizeof(p->id));
                }
        }
}

int disk_find(struct env *env, struct disk_places *ret)
{
        struct disk_places places = { 0 };
        char **names;
        int r = env_list_dir(env, &names, "sys/block");

        add_configured(env, &places);
        if (r == -ENOENT) {
                *ret = places;
                return 0;
        }
        if (r < 0) {
                disk_places_done(&places);
                return err_set(&env->why, r, "sys/block: %s", strerror(-r));
        }
        for (size_t i = 0; names[i]; i++) {
                if (str_starts(names[i], "sd"))
                        add_scsi_disk(env, &places, names[i]);
                else
                        add_nvme_disk(env, &places, names[i]);
        }
        env_list_free(names);
        *ret = places;
        return 0;
}

static void add_scanned(struct env *env, struct disk_places *places, const json_t *entry)
{
        const char *path = json_string_value(json_object_get(entry, "name"));
        const char *type = json_string_value(json_object_get(entry, "type"));
        char name[INSTANCE_NAME_MAX];
        struct disk_place *p;

        if (!path || !str_starts(path, "/dev/") || strstr(path, "..") || !type || !is_raid_type(type) || !type_ok(type))
                return;
        for (size_t i = 0; i < places->n; i++)
                if (streq(places->items[i].path, path) && streq(places->items[i].type, type))
                        return; /* configured under a name of its own */
        snprintf(name, sizeof(name), "%s:%s", path + 5, type);
        p = add(env, places, name, DISK_ASK_RAID);
        if (!p)
                return;
        snprintf(p->path, sizeof(p->path), "%s", path);
        snprintf(p->type, sizeof(p->type), "%s", type);
}

static int scan(struct env *env, struct disk_places *places)
{
        static const char *const argv[] = { SMARTCTL_PATH, "--json", "--scan", NULL };
        struct cmd_result out = { 0 };
        json_t *doc;
        const json_t *entry;
        size_t i;
        int r = env->run_cmd(env, argv, SCAN_DEADLINE_S, SCAN_MAX, &out);

        if (r == -ENOENT)
                return err_set(&env->why, r, "%s is not installed (package smartmontools)", SMARTCTL_PATH);
        if (r < 0)
                return err_set(&env->why, r, "smartctl --scan, which asks the RAID controllers: %s",
                               r == -ETIME ? "no answer within 10 s" : strerror(-r));
        doc = smartctl_json_load(out.out, out.out_len, &env->why);
        cmd_result_done(&out);
        if (!doc)
                return -EBADMSG;
        json_array_foreach(json_object_get(doc, "devices"), i, entry)
                add_scanned(env, places, entry);
        json_decref(doc);
        return 0;
}

/* Some disk behind this controller is looked at. */
static bool knows_a_member(const struct disk_places *places, const struct raid_driver *driver, const char *host)
{
        char bus[40];

        /* "/dev/bus/0" is the controller of host0: there can be several. */
        snprintf(bus, sizeof(bus), "/dev/bus/%s", host + strlen("host"));
        for (size_t i = 0; i < places->n; i++) {
                const struct disk_place *p = &places->items[i];

                if (p->asker == DISK_ASK_RAID && strstr(p->type, driver->type) &&
                    (!str_starts(p->path, "/dev/bus/") || streq(p->path, bus)))
                        return true;
        }
        return false;
}

int disk_find_raid(struct env *env, struct disk_places *places)
{
        char **hosts;
        bool scanned = false;
        int r = env_list_dir(env, &hosts, "sys/class/scsi_host");

        if (r < 0)
                return r == -ENOENT ? 0 : err_set(&env->why, r, "sys/class/scsi_host: %s", strerror(-r));
        for (size_t i = 0; r >= 0 && hosts[i]; i++) {
                const struct raid_driver *driver = str_starts(hosts[i], "host") ? raid_driver_of(env, hosts[i]) : NULL;
                struct disk_place *p;

                if (!driver)
                        continue;
                if (!scanned) {
                        r = scan(env, places);
                        scanned = true;
                }
                if (r < 0 || knows_a_member(places, driver, hosts[i]))
                        continue;
                p = add(env, places, hosts[i], DISK_ASK_NOBODY);
                if (p)
                        snprintf(p->driver, sizeof(p->driver), "%s", driver->name);
                if (p)
                        snprintf(p->type, sizeof(p->type), "%s", driver->type);
        }
        env_list_free(hosts);
        return r < 0 ? r : 0;
}

void disk_places_to_instances(const struct disk_places *places, enum disk_asker a, enum disk_asker b, struct instance_list *list)
{
        for (size_t i = 0; i < places->n; i++) {
                const struct disk_place *p = &places->items[i];
                struct instance *inst;

                if (p->asker != a && p->asker != b)
                        continue;
                inst = instance_add(list, p->name);
                if (!inst)
                        continue;
                strcpy(inst->component, p->component);
                strcpy(inst->id, p->id);
                strcpy(inst->kind, "disk");
        }
}
