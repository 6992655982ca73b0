/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* veillectl peer: who is watched from here and watches this host; pairing, by two fingerprints that a person compares. */

#include <netdb.h>
#include <sys/socket.h>

#include "common_clock.h"
#include "common_jsonl.h"
#include "common_socket.h"
#include "ctl_snapshot.h"
#include "ctl_term.h"
#include "peer_config.h"

#define WAIT_US (15 * USEC_PER_SEC)
#define ANSWER_MAX (1024 * 1024)

struct words {
        const char *name, *port, *fingerprint;
        bool json;
};

static const struct option_row peer_rows[] = {
        { "name", "NAME", "pair: what to call it here, default: as it calls itself", offsetof(struct words, name) },
        { "port", "PORT", "pair: where its veille-peer listens, default 9786", offsetof(struct words, port) },
        { "fingerprint", "SHA256:...", "pair: the fingerprint that it has; nothing is asked then", offsetof(struct words, fingerprint) },
        { "json", NULL, "list: one JSON object", offsetof(struct words, json) },
        { 0 },
};

/* The request is taken. On success *ret is the answer, owned by the caller. */
static int ask(const struct common_options *options, json_t *request, json_t **ret, struct errinfo *err)
{
        int64_t until = clock_boot_us() + WAIT_US;
        char path[4096];
        struct jsonl j;
        json_t *answer = NULL;
        int fd, r;

        snprintf(path, sizeof(path), "%s/peer.sock", options->run);
        fd = socket_connect_unix(path, 2000);
        if (fd < 0) {
                json_decref(request);
                if (fd == -ENOENT || fd == -ECONNREFUSED)
                        return err_set(err, fd, "veille-peer does not run here (%s): systemctl enable --now veille-peer", path);
                return err_set(err, fd, "%s: %s", path, strerror(-fd));
        }
        jsonl_init(&j, fd, ANSWER_MAX, ANSWER_MAX);
        r = jsonl_put(&j, request);
        if (r >= 0)
                r = jsonl_send_until(&j, until);
        if (r >= 0)
                r = jsonl_next_until(&j, until, &answer);
        jsonl_done(&j);
        if (r < 0)
                return err_set(err, r, "veille-peer gives no answer: %s", strerror(-r));
        if (!json_is_true(json_object_get(answer, "ok"))) {
                r = err_set(err, -EPERM, "%s", ctl_text(answer, "error"));
                json_decref(answer);
                return r;
        }
        *ret = answer;
        return 0;
}

/* --- list ---------------------------------------------------------------------------------------------------------------------- */

static void print_worst(const json_t *p)
{
        const json_t *w;
        size_t i;

        json_array_foreach(json_object_get(p, "worst"), i, w)
                printf("    %s%s: %s: %s\n", streq(ctl_text(w, "level"), ctl_text(w, "level_before")) ? "" : "before that ", ctl_text(w, "level_before"),
                       ctl_text(w, "component"), ctl_text(w, "why"));
}

static void print_peer(const json_t *p)
{
        char age[32];

        ctl_duration(ctl_number(p, "age_s"), age, sizeof(age));
        printf("%-16s %-12s health %-8s ", ctl_text(p, "name"), ctl_text(p, "state"), ctl_text(p, "health"));
        if (ctl_number(p, "age_s") >= 0)
                printf("heard %s ago\n", age);
        else
                printf("never heard\n");
        printf("    %s port %.0f, key %s%s\n", ctl_text(p, "address"), ctl_number(p, "port"),
               *ctl_text(p, "fingerprint") ? ctl_text(p, "fingerprint") : "not known yet", json_is_true(json_object_get(p, "config")) ? " (configuration)" : "");
        if (*ctl_text(p, "why"))
                printf("    %s\n", ctl_text(p, "why"));
        if (*ctl_text(p, "error"))
                printf("    the last attempt: %s\n", ctl_text(p, "error"));
        print_worst(p);
}

static int list(const struct common_options *options, bool json)
{
        struct errinfo err = { 0 };
        const json_t *o;
        json_t *answer = NULL;
        int status = 0;
        size_t i;

        if (ask(options, json_pack("{ss}", "cmd", "list"), &answer, &err) < 0)
                return ctl_fail("%s", err.text);
        if (json) {
                json_object_del(answer, "ok");
                json_dumpf(answer, stdout, JSON_INDENT(1));
                printf("\n");
        } else {
                printf("this host: %s, key %s\n", ctl_text(answer, "host"), ctl_text(answer, "fingerprint"));
                json_array_foreach(json_object_get(answer, "peers"), i, o)
                        print_peer(o);
                if (json_array_size(json_object_get(answer, "peers")) == 0)
                        printf("no peers yet: veillectl peer pair ADDRESS\n");
                json_array_foreach(json_object_get(answer, "pending"), i, o)
                        printf("asks to be known: %s, key %s\n", ctl_text(o, "address"), ctl_text(o, "fingerprint"));
        }
        json_array_foreach(json_object_get(answer, "peers"), i, o)
                if (!streq(ctl_text(o, "state"), "up"))
                        status = 1;
        json_decref(answer);
        return status;
}

static int fingerprint(const struct common_options *options)
{
        struct errinfo err = { 0 };
        json_t *answer = NULL;

        if (ask(options, json_pack("{ss}", "cmd", "list"), &answer, &err) < 0)
                return ctl_fail("%s", err.text);
        printf("%s %s\n", ctl_text(answer, "fingerprint"), ctl_text(answer, "host"));
        json_decref(answer);
        return 0;
}

static int remove_peer(const struct common_options *options, const char *name)
{
        struct errinfo err = { 0 };
        json_t *answer = NULL;

        if (ask(options, json_pack("{ss ss}", "cmd", "remove", "name", name), &answer, &err) < 0)
                return ctl_fail("%s", err.text);
        printf("%s is not known here any more; there: veillectl peer remove, for this host\n", name);
        json_decref(answer);
        return 0;
}

/* --- pair ------------------------------------------------------------------------------------------------------------------------ */

/* A name is looked up now, by the person's leave; what is kept is the address. */
static int numeric(const char *text, int port, struct peer_address *ret, struct errinfo *err)
{
        struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found = NULL;
        struct errinfo first = { 0 };
        char host[64];
        int r = peer_address_parse(text, port, ret, &first);

        if (r >= 0)
                return r;
        r = strchr(text, ':') ? EAI_NONAME : getaddrinfo(text, NULL, &hints, &found);
        if (r != 0)
                return err_set(err, -EINVAL, "'%s' is no address, and no name that is found (%s)", text, gai_strerror(r));
        r = getnameinfo(found->ai_addr, found->ai_addrlen, host, sizeof(host), NULL, 0, NI_NUMERICHOST);
        freeaddrinfo(found);
        return r != 0 ? err_set(err, -EINVAL, "'%s' has no address that can be used", text) : peer_address_parse(host, port, ret, err);
}

/* What it calls itself as a name that may be used here: small letters, digits, dots, dashes. */
static void name_from(const char *host, char *buf, size_t size)
{
        size_t n = 0;

        for (; *host && n + 1 < MIN(size, PEER_NAME_MAX); host++) {
                char c = *host >= 'A' && *host <= 'Z' ? (char)(*host - 'A' + 'a') : *host;

                if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (n && (c == '.' || c == '-')))
                        buf[n++] = c;
        }
        buf[n] = '\0';
}

static bool person_agrees(const char *mine, const char *my_host, const char *address, const char *theirs, const char *their_host)
{
        char line[64] = "";

        printf("this host, %s:\n    %s\n%s, which calls itself %s:\n    %s\n\n"
               "On that host type: veillectl peer fingerprint\nDoes it show exactly the second fingerprint? Type yes, or no: ",
               my_host, mine, address, *their_host ? their_host : "nothing", theirs);
        fflush(stdout);
        if (!fgets(line, sizeof(line), stdin))
                return false;
        line[strcspn(line, "\r\n")] = '\0';
        return streq(line, "yes");
}

/* A peer of the configuration may be meant by its name. */
static const json_t *known(const json_t *list, const char *name)
{
        const json_t *o;
        size_t i;

        json_array_foreach(json_object_get(list, "peers"), i, o)
                if (streq(ctl_text(o, "name"), name))
                        return o;
        return NULL;
}

static int do_pair(const struct common_options *options, const struct words *w, const char *where, const json_t *us, struct errinfo *err)
{
        const json_t *there = known(us, where);
        int port = there ? (int)ctl_number(there, "port") : PEER_PORT;
        char name[PEER_NAME_MAX + 1] = "", pin[PEER_PIN_LEN + 1], text[PEER_PIN_LEN + 16], host[128] = "";
        struct peer_address a;
        json_t *seen = NULL, *done = NULL;
        int r = ctl_take_number("port", w->port, 1, 65535, &port, err);

        if (r >= 0)
                r = numeric(there ? ctl_text(there, "address") : where, port, &a, err);
        if (r >= 0 && w->fingerprint && peer_pin_parse(w->fingerprint, pin) < 0)
                r = err_set(err, -EINVAL, "'%s' is no fingerprint: SHA256: and 43 characters, as veillectl peer fingerprint shows it", w->fingerprint);
        if (r < 0)
                return r;
        r = ask(options, json_pack("{ss ss si}", "cmd", "look", "address", a.text, "port", a.port), &seen, err);
        if (r < 0 && !w->fingerprint)
                return r;
        snprintf(host, sizeof(host), "%s", ctl_text(seen, "host"));
        snprintf(text, sizeof(text), "%.60s", w->fingerprint ? w->fingerprint : ctl_text(seen, "fingerprint"));
        if (r >= 0 && w->fingerprint && strncmp(ctl_text(seen, "fingerprint"), w->fingerprint, strlen("SHA256:") + PEER_PIN_LEN) != 0)
                r = err_set(err, -EKEYREJECTED, "%s port %d has the key %s, not that one: nothing was paired", a.text, a.port, ctl_text(seen, "fingerprint"));
        else
                r = 0; /* with a fingerprint in hand it need not answer yet */
        json_decref(seen);
        if (r < 0)
                return r;
        if (there)
                snprintf(name, sizeof(name), "%s", where);
        else
                name_from(w->name ? w->name : host, name, sizeof(name));
        if (w->name && !streq(w->name, name))
                return err_set(err, -EINVAL, "'%s' is no name: small letters, digits, dots and dashes", w->name);
        if (!*name)
                return err_set(err, -EINVAL, "%s does not say what it is called: add --name NAME", a.text);
        if (!w->fingerprint && !person_agrees(ctl_text(us, "fingerprint"), ctl_text(us, "host"), a.text, text, host))
                return err_set(err, -ECANCELED, "nothing was paired");
        r = ask(options, json_pack("{ss ss ss si ss}", "cmd", "pair", "name", name, "address", a.text, "port", a.port, "fingerprint", text), &done, err);
        if (r < 0)
                return r;
        json_decref(done);
        printf("%s is paired here. On that host, if not done yet: veillectl peer pair ADDRESS-OF-THIS-HOST\n", name);
        return 0;
}

static int pair(const struct common_options *options, const struct words *w, const char *where)
{
        struct errinfo err = { 0 };
        json_t *us = NULL;
        int r = ask(options, json_pack("{ss}", "cmd", "list"), &us, &err);

        if (r >= 0) {
                r = do_pair(options, w, where, us, &err);
                json_decref(us);
        }
        return r < 0 ? ctl_fail("%s", err.text) : 0;
}

static int run_peer(const struct common_options *options, int argc, char *argv[])
{
        struct words w = { 0 };
        const char *what;

        if (ctl_take("peer", peer_rows, &w, &argc, argv) < 0)
                return CTL_EXIT_FAILED;
        what = argc > 1 ? argv[1] : "list";
        if (argc <= 2 && streq(what, "list"))
                return list(options, w.json);
        if (argc == 2 && streq(what, "fingerprint"))
                return fingerprint(options);
        if (argc == 3 && streq(what, "pair"))
                return pair(options, &w, argv[2]);
        if (argc == 3 && streq(what, "remove"))
                return remove_peer(options, argv[2]);
        return ctl_usage("peer", "say list, fingerprint, pair ADDRESS or remove NAME");
}

const struct ctl_command ctl_command_peer = {
        .name = "peer",
        .run = run_peer,
        .synopsis = "[list [--json] | fingerprint | pair [--name NAME] [--port PORT] [--fingerprint SHA256:...] ADDRESS | remove NAME]",
        .summary = "other hosts with veille that watch this one and are watched: list, pair, remove",
        .options = peer_rows,
        .help = "pair shows two fingerprints, of this host and of the one that answers at ADDRESS; the other host's own\n"
                "veillectl peer fingerprint must show the same. It is to be done on both. Configuration management may carry\n"
                "them instead: fingerprint = in [peer NAME]. list exits with 1 when a peer is not up. pair and remove are for root\n"
                "and group veille-admin; nothing else than veille-peer may hold the other host's key.\n"
                "\n  veillectl peer pair 192.0.2.2\n",
};
