/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Peers in words. */

#include "peer_text.h"

#include <time.h>

#include "textbuf.h"

enum { T_NEVER = PEER_WHY_MAX, T_SINCE, T_SUBJECT, T_BODY, TEXTS_MAX };

/* {name} {address} {port} {other} {witness} {host} {since} {via} are filled in. */
static const char *const texts[TEXTS_MAX][ALERT_LANGUAGES] = {
        [PEER_WHY_NONE] = { "{name} is heard", "{name} est entendu" },
        [PEER_WHY_WAITS] = { "{name} has not been heard yet", "{name} n'a pas encore été entendu" },
        [PEER_WHY_LATE] = { "{name} is silent; why is being looked at{since}", "{name} se tait ; la cause est recherchée{since}" },
        [PEER_WHY_BRAIN] = { "the host {name} lives, but its brain (veilled) is silent: nobody watches it",
                             "l'hôte {name} vit, mais son cerveau (veilled) se tait : personne ne le surveille" },
        [PEER_WHY_REFUSED] = { "the host {name} lives, but veille-peer does not run there: port {port} refuses connections{since}",
                               "l'hôte {name} vit, mais veille-peer n'y tourne pas : le port {port} refuse les connexions{since}" },
        [PEER_WHY_OTHER_PORT] = { "the host {name} lives (port {other} answers), but its veille does not answer on port {port}{since}",
                                  "l'hôte {name} vit (le port {other} répond), mais son veille ne répond pas sur le port {port}{since}" },
        [PEER_WHY_HANGS] = { "veille-peer on {name} takes connections but says nothing{since}",
                             "veille-peer sur {name} accepte les connexions mais ne dit rien{since}" },
        [PEER_WHY_WITNESS_ANSWERS] = { "{name} ({address}) answers on no port, while {witness} does: that host is down, or cut off at its own end{since}",
                                       "{name} ({address}) ne répond sur aucun port, alors que {witness} répond : cet hôte est arrêté, ou coupé de son "
                                       "côté{since}" },
        [PEER_WHY_PEERS_HEARD] = { "{name} ({address}) answers on no port, while other peers are heard: that host is down, or cut off at its own end{since}",
                                   "{name} ({address}) ne répond sur aucun port, alors que d'autres pairs sont entendus : cet hôte est arrêté, ou "
                                   "coupé de son côté{since}" },
        [PEER_WHY_NO_CARRIER] = { "the network of this host is cut: the interface that leads to {name} has no link, and {name} is not heard{since}",
                                  "le réseau de cet hôte est coupé : l'interface qui mène à {name} n'a pas de lien, et {name} n'est plus entendu{since}" },
        [PEER_WHY_NO_ROUTE] = { "the network of this host is cut: there is no route to {name} ({address}), which is not heard{since}",
                                "le réseau de cet hôte est coupé : il n'y a pas de route vers {name} ({address}), qui n'est plus entendu{since}" },
        [PEER_WHY_WITNESS_DEAD] = { "the network is cut: neither {name} nor {witness} answers, and whether {name} lives cannot be seen from here{since}",
                                    "le réseau est coupé : ni {name} ni {witness} ne répondent, et d'ici on ne peut voir si {name} vit{since}" },
        [PEER_WHY_NO_WITNESS] = { "{name} ({address}) answers on no port: it is down, or the network is cut, and nothing else answers that could tell which{since}",
                                  "{name} ({address}) ne répond sur aucun port : il est arrêté, ou le réseau est coupé, et rien d'autre ne répond qui "
                                  "permette de trancher{since}" },
        [PEER_WHY_KEY] = { "at the address of {name} ({address}) answers somebody with another key: it was installed anew, or it is another host",
                           "à l'adresse de {name} ({address}) répond quelqu'un avec une autre clé : il a été réinstallé, ou c'est un autre hôte" },
        [PEER_WHY_REMOVED] = { "{name} answers, but does not know the key of this host: it was removed there, or this host has a new key",
                               "{name} répond, mais ne connaît pas la clé de cet hôte : il y a été retiré, ou cet hôte a une nouvelle clé" },
        [PEER_WHY_OLD] = { "{name} sends what it has sent before: a copy or a restored snapshot of it runs",
                           "{name} envoie ce qu'il a déjà envoyé : une copie ou un instantané restauré en est en marche" },
        [T_NEVER] = { "; it was never heard", " ; il n'a jamais été entendu" },
        [T_SINCE] = { "; it was last heard at {time} UTC", " ; il a été entendu pour la dernière fois à {time} UTC" },
        [T_SUBJECT] = { "on behalf of {name}: ", "au nom de {name} : " },
        [T_BODY] = { "{via} delivers this on behalf of {name}, none of whose own ways for messages works.\n\n",
                     "{via} transmet ceci au nom de {name}, dont aucune voie pour les messages ne fonctionne.\n\n" },
};

const char *peer_text_at(size_t i, enum alert_language language)
{
        if (i >= TEXTS_MAX)
                return NULL;
        return texts[i][language] ? texts[i][language] : "";
}

struct value {
        const char *name, *value;
};

static void fill(struct textbuf *out, const char *template, const struct value *values, size_t n)
{
        for (const char *c = template; *c;) {
                size_t i = 0;

                for (; i < n; i++) {
                        size_t len = strlen(values[i].name);

                        if (c[0] == '{' && strncmp(c + 1, values[i].name, len) == 0 && c[1 + len] == '}')
                                break;
                }
                if (i == n) {
                        textbuf_char(out, *c++);
                        continue;
                }
                textbuf_str(out, values[i].value);
                c += strlen(values[i].name) + 2;
        }
}

static void fill_to(char *buf, size_t size, const char *template, const struct value *values, size_t n)
{
        struct textbuf out = { 0 };

        fill(&out, template, values, n);
        textbuf_char(&out, '\0');
        snprintf(buf, size, "%s", out.data);
        textbuf_done(&out);
}

static void since_text(const struct peer_place *place, enum alert_language l, char *buf, size_t size)
{
        time_t t = (time_t)(place->heard_wall_us / USEC_PER_SEC);
        char when[40] = "?";
        const struct value value = { "time", when };
        struct tm tm;

        if (gmtime_r(&t, &tm))
                strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &tm);
        fill_to(buf, size, texts[place->heard_wall_us ? T_SINCE : T_NEVER][l], &value, 1);
}

void peer_text(const struct peer_watch *w, const struct peer_place *place, enum alert_language l, char *buf, size_t size)
{
        char port[16], other[16], since[96];
        const struct value values[] = {
                { "name", place->name }, { "address", place->address }, { "host", place->host },
                { "port", port },        { "other", other },            { "witness", w->evidence.witness_name },
                { "since", since },
        };

        if (w->why == PEER_WHY_NONE) {
                *buf = '\0';
                return;
        }
        snprintf(port, sizeof(port), "%d", place->port);
        snprintf(other, sizeof(other), "%d", w->evidence.other_port);
        since_text(place, l, since, sizeof(since));
        fill_to(buf, size, texts[w->why][l], values, ARRAY_LEN(values));
}

void peer_text_on_behalf(const char *peer, const char *via, enum alert_language l, char *subject, size_t subject_size, char *body, size_t body_size)
{
        const struct value values[] = { { "name", peer }, { "via", via } };

        fill_to(subject, subject_size, texts[T_SUBJECT][l], values, ARRAY_LEN(values));
        fill_to(body, body_size, texts[T_BODY][l], values, ARRAY_LEN(values));
}
