/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Every configuration key there is, once: veillectl config, the example file, docs/man/veille.conf.5 and
 * the defaults come from these tables. Keys of a section keep together, named ones ([check NAME]) have named = true.
 * After a change: make docs, and commit what it wrote. */

#include "config.h"

const struct config_section config_sections[] = {
        { "host", NULL, "This host." },
        { "mail", NULL, "Where mail lies: what carries it is judged first, and its loss is urgent." },
        { "fs", NULL, "File systems, for the checks fs and latency." },
        { "web", NULL, "veille-web: the status page and the metrics. See veille-web(8)." },
        { "check", "smart", "One kind of check; the names are those of veillectl checks. See veille-checks(7)." },
        { "selftest", NULL, "When disks test themselves. Without a date none ever does." },
        { "device", "sdx", "A disk behind a controller or bridge, which smartctl is to ask under a name of yours." },
        { "ups", NULL, "UPSes behind Network UPS Tools, for the check ups." },
        { "bmc", "rack1", "A management controller that is asked over the network, for the check bmc; the name is yours." },
        { "plugin", "load", "A program of yours as a check: a Nagios plugin, or one that speaks veille's own protocol. It runs as user "
          "veille. [check NAME] and [rule NAME-status] hold for it as for any other. See veille-checks(7)." },
        { "rule", "memory-error-storm", "How one thing is judged; the names are those of veillectl rules. See veille-rules(7). "
          "Limits are in the unit of the metric, and may be written with %, s, min, h, d, w, KiB, MiB, GiB, TiB." },
        { "alert", NULL, "How people are told. Who is told is said in [contact NAME], by which ways in [sink NAME]." },
        { "contact", "oncall", "Somebody who is told; the name is yours. At most ten messages an hour reach a contact: what there is more "
          "to say is said together, and no critical is left out." },
        { "sink", "mail", "A way for messages; the name is yours. One that does not need this host's own mail, name server and disk is "
          "the one that works when it matters." },
        { "hooks", NULL, "Programs that veille runs, or says that it would run, when something happens: see veille-hooks(7)." },
        { "hook", "restart-mail-service", "One of them, by the name of its file in /etc/veille/hooks.d, or of one that ships." },
        { "peers", NULL, "veille-peer: how this host and its peers watch each other. See veille-peer(8)." },
        { "peer", "mx2", "Another host with veille; the name is yours. Not needed for what veillectl peer pair has paired." },
        { "deadman", NULL, "A URL elsewhere that is asked for as long as the brain lives and judges; its silence is somebody else's alert." },
        { "store", NULL, "What veille-store keeps, how long, and how much of the disk it may use." },
};

const size_t config_sections_len = ARRAY_LEN(config_sections);

const struct config_key config_keys[] = {
        { "host", false, "name", CONFIG_STRING, NULL, 0, 0, NULL,
          "Name of this host in messages and pages. Unset: the kernel's host name." },

        { "mail", false, "spool", CONFIG_LIST, NULL, 0, 0, NULL,
          "Directories of mail in transit. Unset: /var/spool/postfix and /var/spool/exim4, those that exist." },
        { "mail", false, "store", CONFIG_LIST, NULL, 0, 0, NULL,
          "Directories of delivered mail. Unset: /var/mail, /var/vmail, /srv/mail and /home/vmail, those that exist; of a network "
          "file system only where its mount point is one of them." },

        { "fs", false, "network", CONFIG_BOOL, "no", 0, 0, NULL,
          "Whether network file systems that hold no mail are watched too." },
        { "fs", false, "write", CONFIG_LIST, NULL, 0, 0, NULL,
          "Further mount points on which writing is tried once a run; those that hold mail, the system or our state always are." },

        { "check", true, "enabled", CONFIG_BOOL, "yes", 0, 0, NULL,
          "Whether this check runs at all." },
        { "check", true, "interval", CONFIG_DURATION, NULL, 1, 604800, NULL,
          "Time between two runs. Unset: the check's own default, see veillectl checks." },
        { "check", true, "ignore", CONFIG_LIST, NULL, 0, 0, NULL,
          "Instances that are not to be looked at, as veille-probe list shows them." },

        { "check", true, "wake_after", CONFIG_DURATION, "24h", 1, 31536000, NULL,
          "smart-ata, smart: a disk that has slept for this long is woken once and read; until then its last verdict stands." },

        { "selftest", false, "short", CONFIG_CALENDAR, NULL, 0, 0, NULL,
          "When disks test themselves for some minutes. Days, if not daily, and a time: 02:30, Mon..Fri 02:30, Sat 03:00, "
          "1,15 03:00, Sat 1..7 03:00 (the first Saturday of a month). Unset, or off: never." },
        { "selftest", false, "long", CONFIG_CALENDAR, NULL, 0, 0, NULL,
          "When they read every sector, which takes hours. Members of one array follow each other, so leave room: disks times hours." },
        { "selftest", false, "short_window", CONFIG_DURATION, "4h", 60, 2678400, NULL,
          "A short test that could not begin within this, since an array rebuilt or writes were slow, waits for the next date." },
        { "selftest", false, "long_window", CONFIG_DURATION, "7d", 60, 2678400, NULL,
          "The same for the long test." },
        { "selftest", false, "at_once", CONFIG_INT, "2", 1, 256, NULL,
          "So many disks test themselves at the same time at most; of one array never more than one." },
        { "selftest", false, "slow_fsync", CONFIG_DURATION, "500ms", 0.001, 600, NULL,
          "No test begins while storing one block takes longer, as the check latency measures it." },
        { "selftest", false, "ignore", CONFIG_LIST, NULL, 0, 0, NULL,
          "Disks that are not to test themselves, as veillectl status names them." },

        { "device", true, "path", CONFIG_PATH, NULL, 0, 0, NULL,
          "A disk that smartctl is to ask, under the name of this section: /dev/sdc, /dev/bus/0, /dev/sg2. A disk that was "
          "found by itself is then asked under this name only." },
        { "device", true, "type", CONFIG_STRING, NULL, 0, 0, NULL,
          "Its type as for smartctl -d: sat, megaraid,5, cciss,0, areca,3/2. Unset: smartctl finds out." },

        { "ups", false, "connect", CONFIG_LIST, NULL, 0, 0, NULL,
          "UPSes to ask NUT's upsd about: name@host or name@host:port. Unset: none." },

        { "bmc", true, "host", CONFIG_STRING, NULL, 0, 0, NULL,
          "A management controller to ask over the network, host or host:port, under the name of this section." },
        { "bmc", true, "user", CONFIG_STRING, NULL, 0, 0, NULL,
          "User to log in as; one with the privilege level USER is enough and best. Unset: the anonymous user." },
        { "bmc", true, "password_file", CONFIG_PATH, NULL, 0, 0, NULL,
          "File whose first line is the password. Readable by group veille, by nobody else. Unset: no password." },
        { "bmc", true, "protocol", CONFIG_ENUM, "2.0", 0, 0, "2.0 1.5",
          "IPMI over LAN version." },
        { "bmc", true, "cipher_suite", CONFIG_INT, "3", 0, 17, NULL,
          "Cipher suite of protocol 2.0: 3 (HMAC-SHA1, AES) as every controller has it, 17 (HMAC-SHA256) on newer ones." },

        { "plugin", true, "nagios", CONFIG_COMMAND, NULL, 0, 0, NULL,
          "A Nagios plugin with its arguments, such as /usr/lib/nagios/plugins/check_load -w 8,6,4 -c 16,12,8. There is no shell: "
          "arguments that contain white space are put in quotes. The file must belong to root, and nobody else may write it." },
        { "plugin", true, "program", CONFIG_COMMAND, NULL, 0, 0, NULL,
          "Instead of nagios: a program that answers the words catalog, list and run, see veille-probe(8). Its checks are named like "
          "this section, or begin with its name and a dash." },
        { "plugin", true, "interval", CONFIG_DURATION, NULL, 5, 604800, NULL,
          "Time between two runs. Unset: 1 min, or what the program says." },
        { "plugin", true, "timeout", CONFIG_DURATION, NULL, 1, 300, NULL,
          "A run that takes longer is ended with all its processes, and that is evidence. Unset: 10 s, or what the program says." },
        { "plugin", true, "component", CONFIG_STRING, NULL, 0, 0, NULL,
          "nagios: what the plugin looks at, in the words of veillectl status, such as sda or host; its result then counts there. "
          "Unset: a component of the plugin's own name." },
        { "plugin", true, "evidence", CONFIG_ENUM, "service", 0, 0,
          "smart kernel raid memory sensor power latency filesystem network host service",
          "nagios: the class of evidence; critical by two classes weighs more than by one." },
        { "plugin", true, "hard", CONFIG_BOOL, "no", 0, 0, NULL,
          "nagios: critical means that the part has failed, not that it may; where nothing protects it the host is red." },

        { "rule", true, "enabled", CONFIG_BOOL, "yes", 0, 0, NULL,
          "Whether this rule judges at all." },
        { "rule", true, "notice", CONFIG_NUMBER, NULL, 0, 0, "none",
          "Limit of level notice, in the unit of the metric; none: this level is never reached. Unset: the rule's own, see veillectl rules." },
        { "rule", true, "warning", CONFIG_NUMBER, NULL, 0, 0, "none",
          "Limit of level warning." },
        { "rule", true, "critical", CONFIG_NUMBER, NULL, 0, 0, "none",
          "Limit of level critical." },
        { "rule", true, "clear", CONFIG_NUMBER, NULL, 0, 0, "none",
          "The level is taken back only once the value is past this." },
        { "rule", true, "hold", CONFIG_DURATION, NULL, 0, 31536000, NULL,
          "The value must be bad for this long before it counts." },
        { "rule", true, "calm", CONFIG_DURATION, NULL, 0, 31536000, NULL,
          "The value must be good for this long before the level is taken back." },
        { "rule", true, "window", CONFIG_DURATION, NULL, 1, 31536000, NULL,
          "Time over which a rate or a trend is measured." },

        { "web", false, "listen", CONFIG_LIST, "127.0.0.1:9785", 0, 0, NULL,
          "Where veille-web answers: numeric ADDRESS:PORT, [::1]:PORT for IPv6, several separated by spaces. "
          "Anything but a loopback address needs tls_certificate, tls_key and token_file." },
        { "web", false, "hosts", CONFIG_LIST, NULL, 0, 0, NULL,
          "Further host names by which browsers and proxies may address veille-web on a loopback address. Numeric "
          "addresses, localhost and [host] name always work; others are refused, so that no web site can read the page "
          "through a visitor's browser (DNS rebinding)." },
        { "web", false, "tls_certificate", CONFIG_PATH, NULL, 0, 0, NULL,
          "Certificate chain in PEM. With it and tls_key every address of listen speaks HTTPS only." },
        { "web", false, "tls_key", CONFIG_PATH, NULL, 0, 0, NULL,
          "Private key of tls_certificate in PEM; no other user may be able to read it." },
        { "web", false, "token_file", CONFIG_PATH, NULL, 0, 0, NULL,
          "File that holds a token of 16 characters or more; every request must show it: as Authorization: Bearer TOKEN, or as the "
          "password of any user name in a browser. No other user may be able to read it." },
        { "web", false, "compat", CONFIG_LIST, NULL, 0, 0, NULL,
          "Whose metric names to offer beside our own: smartctl_exporter, node_exporter. Do not switch one on "
          "where that exporter is scraped too: every series would be there twice." },
        { "web", false, "textfile", CONFIG_PATH, NULL, 0, 0, NULL,
          "Writes the metrics to this file every 30 seconds for node_exporter's textfile collector; the name must end in .prom." },
        { "web", false, "silent_after", CONFIG_DURATION, "30s", 15, 3600, NULL,
          "When the brain has written nothing for this long, every level is shown as unknown." },
        { "web", false, "connections", CONFIG_INT, "64", 4, 1000, NULL,
          "Most connections at a time; one address may have half of them." },

        { "alert", false, "escalate_after", CONFIG_DURATION, "1h", 0, 604800, NULL,
          "When nobody acknowledges within this (veillectl ack), contacts with step = 1 are told too, after twice this those with "
          "step = 2. 0: never." },

        { "contact", true, "sinks", CONFIG_LIST, NULL, 0, 0, NULL,
          "Names of the [sink NAME] by which messages go, all of them. Unset: this contact is told nothing." },
        { "contact", true, "level", CONFIG_ENUM, "warning", 0, 0, "notice warning unknown critical",
          "The least level that is told." },
        { "contact", true, "components", CONFIG_LIST, NULL, 0, 0, NULL,
          "Only these components, as veillectl status names them; * and ? stand for any text and any character. Unset: all." },
        { "contact", true, "step", CONFIG_INT, "0", 0, 10, NULL,
          "0: is told at once. 1 and more: only when nobody acknowledged in time, see [alert] escalate_after." },
        { "contact", true, "language", CONFIG_ENUM, "en", 0, 0, "en fr",
          "Language of the messages. The words of devices, plugins and the kernel stay as they are." },

        { "sink", true, "type", CONFIG_ENUM, NULL, 0, 0, "mail webhook alertmanager journal exec",
          "mail: by SMTP to relays, never through a local sendmail. webhook: JSON by POST. alertmanager: all alerts as they are to the API v2 of one or "
          "several Prometheus Alertmanagers, without a contact. journal: the systemd journal. exec: a program." },
        { "sink", true, "timeout", CONFIG_DURATION, "30s", 1, 300, NULL,
          "A delivery that takes longer is ended and tried again later." },
        { "sink", true, "to", CONFIG_LIST, NULL, 0, 0, NULL,
          "mail: addresses of recipients." },
        { "sink", true, "from", CONFIG_STRING, NULL, 0, 0, NULL,
          "mail: address of the sender. Unset: veille at the name of this host." },
        { "sink", true, "relay", CONFIG_LIST, NULL, 0, 0, NULL,
          "mail: servers that are tried in turn: smtp://host, smtp://host:587, smtps://host; mx: straight to the servers of each recipient's domain, "
          "without a log-in (mostly with tls = try). At least one should not be this host." },
        { "sink", true, "tls", CONFIG_ENUM, "required", 0, 0, "required try none",
          "mail: STARTTLS on smtp://: required with a certificate that fits, tried with any certificate, or never." },
        { "sink", true, "user", CONFIG_STRING, NULL, 0, 0, NULL,
          "mail: name to log in with (SMTP AUTH). Only where TLS is required." },
        { "sink", true, "password_file", CONFIG_PATH, NULL, 0, 0, NULL,
          "mail: file whose first line is the password. Readable by user veille, by no other user." },
        { "sink", true, "ca_file", CONFIG_PATH, NULL, 0, 0, NULL,
          "mail, webhook, alertmanager: certificates of the authorities to trust, PEM. Unset: those of the system." },
        { "sink", true, "url", CONFIG_LIST, NULL, 0, 0, NULL,
          "webhook: where to POST; of several the first that takes it. alertmanager: http://host:9093, all of them." },
        { "sink", true, "template_file", CONFIG_PATH, NULL, 0, 0, NULL,
          "webhook: JSON whose strings may hold {subject}, {body}, {host}, {component}, {level}, {what}, {id}, {contact}, {time}; a string that is "
          "\"{message}\" becomes the whole message, \"{priority}\" a number from 1 to 5. Unset: the whole message." },
        { "sink", true, "secret_file", CONFIG_PATH, NULL, 0, 0, NULL,
          "webhook: file whose first line is the key of an HMAC-SHA256 over the body, sent as X-Veille-Signature: sha256=HEX." },
        { "sink", true, "token_file", CONFIG_PATH, NULL, 0, 0, NULL,
          "webhook, alertmanager: file whose first line is sent as Authorization: Bearer." },
        { "sink", true, "command", CONFIG_COMMAND, NULL, 0, 0, NULL,
          "exec: a program with its arguments, run as user veille with the message on standard input and the SMARTD_* variables of smartd -M exec, "
          "and VEILLE_* of our own." },
        { "sink", true, "address", CONFIG_STRING, NULL, 0, 0, NULL,
          "exec: what SMARTD_ADDRESS shall be; set, a command of one word also gets the arguments that smartd gives (-s SUBJECT ADDRESS). Unset: root." },

        { "hooks", false, "mode", CONFIG_ENUM, "advise", 0, 0, "advise confirm auto",
          "What becomes of all hooks whose time has come. advise: it is only said what would be run. confirm: it is run when an administrator says "
          "so (veillectl hooks confirm). auto: it is run." },
        { "hook", true, "on", CONFIG_LIST, NULL, 0, 0, NULL,
          "When: health:red, health:yellow, health:green, rule:RULE (veillectl rules shows them) from level warning on, event:started (first start "
          "after a boot). Unset: only by veillectl hooks run." },
        { "hook", true, "class", CONFIG_ENUM, NULL, 0, 0, "notify repair move",
          "What it does: tell somebody, repair something here, or move the mail to another host. Must be set; with neither class nor on the hook is off." },
        { "hook", true, "cool_down", CONFIG_DURATION, "10min", 0, 604800, NULL,
          "It is not run again for the same component within this time." },
        { "hook", true, "per_day", CONFIG_INT, "3", 1, 32, NULL,
          "It is run at most so often within 24 hours." },
        { "hook", true, "deadline", CONFIG_DURATION, "1min", 1, 3600, NULL,
          "When it has not ended by then, it and all it started are ended." },
        { "peers", false, "listen", CONFIG_LIST, "0.0.0.0 [::]", 0, 0, NULL,
          "Where veille-peer answers: numeric ADDRESS or ADDRESS:PORT, [::1]:PORT for IPv6, several separated by spaces. The port is 9786 where none is "
          "given. Only hosts whose key is known here are answered." },
        { "peers", false, "interval", CONFIG_DURATION, "10s", 1, 300, NULL,
          "Time between two heartbeats." },
        { "peers", false, "silent_after", CONFIG_DURATION, "35s", 2, 3600, NULL,
          "A peer that was not heard for this long is silent, and why is looked at; at least twice the interval." },
        { "peers", false, "witness", CONFIG_LIST, NULL, 0, 0, NULL,
          "Numeric ADDRESS:PORT of hosts that tell a dead peer from a cut network, by answering or refusing a connection: a router, a server elsewhere. "
          "The default gateway (IPv4) is one of itself." },

        { "peer", true, "address", CONFIG_STRING, NULL, 0, 0, NULL,
          "Its numeric address. Names are not looked up: that could hang when it matters. Unset: this peer is not known." },
        { "peer", true, "port", CONFIG_INT, "9786", 1, 65535, NULL,
          "Port of its veille-peer." },
        { "peer", true, "fingerprint", CONFIG_STRING, NULL, 0, 0, NULL,
          "Of its key, as veillectl peer fingerprint shows it there (SHA256:...). Unset: by veillectl peer pair." },
        { "peer", true, "ports", CONFIG_LIST, "25 22", 0, 0, NULL,
          "Other ports of it that answer while the host lives: they tell a dead host from a dead veille." },

        { "deadman", false, "url", CONFIG_STRING, NULL, 0, 0, NULL,
          "http:// or https:// URL that is asked for (GET) while checks end and are judged, so that its owner notices when they do not. Unset: none." },
        { "deadman", false, "interval", CONFIG_DURATION, "1min", 5, 86400, NULL,
          "Time between two requests." },
        { "deadman", false, "timeout", CONFIG_DURATION, "15s", 1, 300, NULL,
          "A request that takes longer is ended." },

        { "store", false, "raw-retention", CONFIG_DURATION, "1w", 86400, 31536000, NULL,
          "How long every measured value is kept. Whole days are deleted, after their hours are summed up." },
        { "store", false, "hourly-retention", CONFIG_DURATION, "365d", 86400, 315360000, NULL,
          "How long mean, least and greatest value of every hour are kept." },
        { "store", false, "max-size", CONFIG_SIZE, "512M", 1048576, 1099511627776, NULL,
          "Size of the database. When it is reached the oldest values go, then the oldest hours, then the oldest events. "
          "For a short time the file may be a tenth larger, and 4 MiB of write-ahead log lie beside it." },
        { "store", false, "max-events", CONFIG_INT, "200000", 100, 100000000, NULL,
          "Number of events that are kept; the oldest go." },
        { "store", false, "max-series", CONFIG_INT, "20000", 10, 1000000, NULL,
          "Number of different series that are kept. Values of further ones are refused and counted." },
        { "store", false, "commit-interval", CONFIG_DURATION, "5min", 1, 3600, NULL,
          "How long measured values may wait in memory before they are written. Changes of level are written within a second, and veilled "
          "asks for a write once a minute; a longer time makes a difference only without it." },
};

const size_t config_keys_len = ARRAY_LEN(config_keys);
