/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* What to do: the table. */

#include "alert_advice.h"

/* Rules first: the first row that fits is taken. */
static const struct alert_advice rows[] = {
        { "no-answer", false,
          { "see why it hangs, expect its failure", "regardez pourquoi il ne répond plus, attendez-vous à sa panne" },
          { "see why it does not answer", "regardez pourquoi il ne répond pas" },
          { "veillectl checks", "dmesg --level=err,warn -T | tail -50" } },
        { "probe-failed", false,
          { "see why it cannot be read", "regardez pourquoi il ne peut être lu" },
          { "see why it cannot be read", "regardez pourquoi il ne peut être lu" },
          { "veillectl checks", "journalctl -u 'veille-probe*' -n 50" } },
        { "probe-denied", false,
          { "give veille the right to read it", "donnez à veille le droit de le lire" },
          { "give veille the right to read it", "donnez à veille le droit de le lire" },
          { "veillectl checks", "veillectl config check" } },
        { "gone", false,
          { "see whether it was pulled or died", "vérifiez s'il a été retiré ou s'il est mort" },
          { "see whether it was taken away; then veillectl accept", "vérifiez s'il a été retiré ; puis veillectl accept" },
          { "lsblk", "dmesg -T | tail -50" } },
        { "stale", false,
          { "see why there is nothing new to be read", "regardez pourquoi rien de neuf n'est lu" },
          { "see why there is nothing new to be read", "regardez pourquoi rien de neuf n'est lu" },
          { "veillectl checks", "systemctl status 'veille*'" } },
        { "not-read-yet", false,
          { "see why it was never read", "regardez pourquoi il n'a jamais été lu" },
          { "see why it was never read", "regardez pourquoi il n'a jamais été lu" },
          { "veillectl checks", "systemctl status 'veille*'" } },
        { "no-data-any-more", false,
          { "see where it went; then veillectl accept", "cherchez où il est passé ; puis veillectl accept" },
          { "see where it went; then veillectl accept", "cherchez où il est passé ; puis veillectl accept" },
          { "veillectl checks", "dmesg -T | tail -50" } },
        { "disk-hot", false,
          { "cool it", "refroidissez-le" },
          { "look after its cooling", "vérifiez son refroidissement" },
          { "veillectl history %c", "sensors" } },
        { "disk-overheated", false,
          { "cool it at once or stop it", "refroidissez-le tout de suite ou arrêtez-le" },
          { "look after its cooling", "vérifiez son refroidissement" },
          { "veillectl history %c", "sensors" } },
        { "crc-errors-grew", false,
          { "check cable and slot", "vérifiez le câble et la baie" },
          { "check cable and slot; then veillectl accept", "vérifiez le câble et la baie ; puis veillectl accept" },
          { "smartctl -x /dev/%i", "dmesg -T | grep -w %c" } },
        { "fs-space", false,
          { "make room now", "libérez de la place maintenant" },
          { "make room", "libérez de la place" },
          { "df -h %c", "du -xhd1 %c | sort -h | tail" } },
        { "fs-space-large", false,
          { "make room now", "libérez de la place maintenant" },
          { "make room", "libérez de la place" },
          { "df -h %c", "du -xhd1 %c | sort -h | tail" } },
        { "fs-space-mail", true,
          { "make room now, mail is about to be refused", "libérez de la place maintenant, le courrier va être refusé" },
          { "make room for mail", "libérez de la place pour le courrier" },
          { "df -h %c", "postqueue -p | tail", "du -xhd1 %c | sort -h | tail" } },
        { "fs-space-rush", false,
          { "find what fills it so fast", "cherchez ce qui le remplit si vite" },
          { "find what fills it so fast", "cherchez ce qui le remplit si vite" },
          { "df -h %c", "du -xhd1 %c | sort -h | tail", "lsof +L1 %c" } },
        { "fs-space-forecast", false,
          { "make room before it is full", "libérez de la place avant qu'il ne soit plein" },
          { "make room before it is full", "libérez de la place avant qu'il ne soit plein" },
          { "veillectl history %c", "df -h %c" } },
        { "fs-inodes", false,
          { "delete small files, it is out of inodes", "supprimez de petits fichiers, il n'a plus d'inodes" },
          { "delete small files, it runs out of inodes", "supprimez de petits fichiers, il manque d'inodes" },
          { "df -i %c", "du --inodes -xd1 %c | sort -n | tail" } },
        { "host-rebooted", true,
          { "see why it was started anew", "regardez pourquoi il a redémarré" },
          { "see why it was started anew", "regardez pourquoi il a redémarré" },
          { "last -x | head", "journalctl -b -1 -n 100" } },
        { "boot", true,
          { "see why it went down", "regardez pourquoi il s'est arrêté" },
          { "see why it went down", "regardez pourquoi il s'est arrêté" },
          { "last -x | head", "journalctl -b -1 -e -n 100" } },
        { "net-cut-off", true,
          { "restore the network", "rétablissez le réseau" },
          { "restore the network", "rétablissez le réseau" },
          { "ip route", "ip -br link", "networkctl status" } },
        { "peer-host-dead", false,
          { "see to that host, at its console if need be", "occupez-vous de cet hôte, à sa console s'il le faut" },
          { "see to that host", "occupez-vous de cet hôte" },
          { "veillectl peer list", "ip neigh" } },
        { "peer-agent-dead", false,
          { "start veille there again", "relancez veille là-bas" },
          { "start veille there again", "relancez veille là-bas" },
          { "veillectl peer list", "ssh %i systemctl status 'veille*'" } },
        { "peer-network-cut", false,
          { "restore the network of this host", "rétablissez le réseau de cet hôte" },
          { "restore the network of this host", "rétablissez le réseau de cet hôte" },
          { "ip -br link", "ip route", "veillectl peer list" } },
        { "peer-silent", false,
          { "find out whether that host or the network is dead", "cherchez si c'est cet hôte ou le réseau qui est mort" },
          { "find out whether that host or the network is dead", "cherchez si c'est cet hôte ou le réseau qui est mort" },
          { "veillectl peer list", "ip route", "ip neigh" } },
        { "peer-key-changed", false,
          { "compare fingerprints; if that host was installed anew, pair it again", "comparez les empreintes ; si cet hôte a été réinstallé, appariez-le de nouveau" },
          { "compare fingerprints; if that host was installed anew, pair it again", "comparez les empreintes ; si cet hôte a été réinstallé, appariez-le de nouveau" },
          { "veillectl peer list", "ssh %i veillectl peer fingerprint", "veillectl peer pair %i" } },
        { "peer-removed", false,
          { "pair them again, or remove it here too", "appariez-les de nouveau, ou retirez-le ici aussi" },
          { "pair them again, or remove it here too", "appariez-les de nouveau, ou retirez-le ici aussi" },
          { "veillectl peer list", "ssh %i veillectl peer list" } },
        { "peer-old-state", false,
          { "find the copy of that host and stop it", "trouvez la copie de cet hôte et arrêtez-la" },
          { "find the copy of that host and stop it", "trouvez la copie de cet hôte et arrêtez-la" },
          { "veillectl peer list" } },

        { "smart-ata", false,
          { "replace this disk now", "remplacez ce disque maintenant" },
          { "plan to replace this disk", "prévoyez de remplacer ce disque" },
          { "smartctl -x /dev/%i", "veillectl history %c" } },
        { "smart", false,
          { "replace this disk now", "remplacez ce disque maintenant" },
          { "plan to replace this disk", "prévoyez de remplacer ce disque" },
          { "smartctl -x /dev/%i", "veillectl history %c" } },
        { "smart-raid", false,
          { "replace this disk now", "remplacez ce disque maintenant" },
          { "plan to replace this disk", "prévoyez de remplacer ce disque" },
          { "smartctl --scan", "veillectl history %c" } },
        { "selftest", false,
          { "plan to replace this disk", "prévoyez de remplacer ce disque" },
          { "see what its self-tests say", "regardez ce que disent ses autotests" },
          { "veillectl selftest", "smartctl -l selftest /dev/%i" } },
        { "raid", false,
          { "restore its redundancy now", "rétablissez sa redondance maintenant" },
          { "restore its redundancy", "rétablissez sa redondance" },
          { "cat /proc/mdstat", "mdadm --detail /dev/%c", "btrfs filesystem show" } },
        { "zfs", false,
          { "repair the pool now", "réparez le pool maintenant" },
          { "look after the pool", "occupez-vous du pool" },
          { "zpool status -v", "zpool events | tail -20" } },
        { "fs", false,
          { "repair this file system, it does not take writes", "réparez ce système de fichiers, il n'accepte plus d'écriture" },
          { "check this file system", "vérifiez ce système de fichiers" },
          { "findmnt %c", "dmesg -T | grep -i -e ext4 -e xfs -e btrfs | tail -20" } },
        { "latency", false,
          { "see what blocks writes here", "cherchez ce qui bloque les écritures" },
          { "see what slows writes down here", "cherchez ce qui ralentit les écritures" },
          { "iostat -x 1 5", "veillectl history %c", "cat /proc/pressure/io" } },
        { "kernel", false,
          { "save what is on it and prepare to replace it", "sauvez ce qu'il contient et préparez son remplacement" },
          { "read what the kernel says of it", "lisez ce que le noyau en dit" },
          { "dmesg -T | grep -w %c | tail -50", "veillectl events" } },
        { "topology", false,
          { "see what stands on what", "regardez ce qui repose sur quoi" },
          { "see what stands on what", "regardez ce qui repose sur quoi" },
          { "lsblk", "veillectl status --all" } },
        { "edac", true,
          { "replace this memory module now", "remplacez cette barrette de mémoire maintenant" },
          { "plan to replace this memory module", "prévoyez de remplacer cette barrette de mémoire" },
          { "grep . /sys/devices/system/edac/mc/mc*/dimm*/dimm_{label,ce_count,ue_count}", "veillectl history %c" } },
        { "sensors", true,
          { "see to cooling and power now", "voyez le refroidissement et l'alimentation maintenant" },
          { "see to cooling and power", "voyez le refroidissement et l'alimentation" },
          { "sensors", "veillectl history %c" } },
        { "power", true,
          { "restore power now", "rétablissez l'alimentation maintenant" },
          { "look after the power supply", "vérifiez l'alimentation" },
          { "grep . /sys/class/power_supply/*/{online,status,health}" } },
        { "ups", true,
          { "restore mains power, or shut down in time", "rétablissez le courant, ou arrêtez à temps" },
          { "look after the UPS", "occupez-vous de l'onduleur" },
          { "upsc %i", "veillectl history %c" } },
        { "ipmi", true,
          { "see the hardware's event log now", "lisez le journal du matériel maintenant" },
          { "see the hardware's event log", "lisez le journal du matériel" },
          { "ipmi-sensors --output-event-bitmask", "ipmi-sel --tail=20" } },
        { "bmc", true,
          { "see the hardware's event log now", "lisez le journal du matériel maintenant" },
          { "see the hardware's event log", "lisez le journal du matériel" },
          { "veillectl why %c" } },
        { "host", true,
          { "relieve this host now", "soulagez cet hôte maintenant" },
          { "look after this host", "occupez-vous de cet hôte" },
          { "top -bn1 | head -20", "cat /proc/pressure/*", "veillectl history %c" } },
        { "net", true,
          { "restore the link", "rétablissez le lien" },
          { "check cable, port and card", "vérifiez le câble, le port et la carte" },
          { "ip -s link show %c", "ethtool %c", "dmesg -T | grep -w %c | tail" } },
        { "mail-unit", false,
          { "start this service again, mail waits for it", "relancez ce service, le courrier l'attend" },
          { "see why this service fails", "regardez pourquoi ce service tombe" },
          { "systemctl status %c", "journalctl -u %c -n 50", "veillectl hooks list" } },
        { "peer", false,
          { "see to that host", "occupez-vous de cet hôte" },
          { "see why nothing is known of it", "regardez pourquoi on ne sait rien de lui" },
          { "veillectl peer list", "systemctl status veille-peer" } },
        { "veille", false,
          { "repair veille, it may be blind", "réparez veille, il est peut-être aveugle" },
          { "look after veille itself", "occupez-vous de veille même" },
          { "systemctl status 'veille*'", "journalctl -u veilled -n 50" } },
};

static const struct alert_advice general = {
        "", false,
        { "look at it now", "regardez-le maintenant" },
        { "look at it", "regardez-le" },
        { NULL },
};

int alert_language_from_name(const char *name)
{
        return streq(name, "en") ? ALERT_EN : streq(name, "fr") ? ALERT_FR : -EINVAL;
}

static const struct alert_advice *find(const char *name)
{
        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
                if (streq(rows[i].name, name))
                        return &rows[i];
        return NULL;
}

const struct alert_advice *alert_advice(const char *check, const char *rule)
{
        /* What cannot be read of veille itself is no part of the hardware. */
        const struct alert_advice *row = streq(check, "veille") ? find(check) : find(rule);

        if (!row)
                row = find(check);
        return row ? row : &general;
}

bool alert_advice_has(const char *check)
{
        return find(check) != NULL;
}

const struct alert_advice *alert_advice_at(size_t i)
{
        return i < ARRAY_LEN(rows) ? &rows[i] : i == ARRAY_LEN(rows) ? &general : NULL;
}
