/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Reads [web]. A page about the weak spots of a host is not for everybody: without TLS and a token only
 * loopback addresses are served, and a mistake here ends the program with one sentence. */

#include "web.h"

#include <arpa/inet.h>
#include <fcntl.h>

#define PEM_MAX (256 * 1024)
#define TOKEN_MIN 16

static const char *setting(const struct config *c, const char *key)
{
        return config_string(c, "web", NULL, key);
}

bool web_address_is_loopback(const struct sockaddr_storage *address)
{
        const struct sockaddr_in *in = (const struct sockaddr_in *)address;
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)address;

        if (address->ss_family == AF_INET)
                return ntohl(in->sin_addr.s_addr) >> 24 == 127;
        return IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr) ||
               (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr) && in6->sin6_addr.s6_addr[12] == 127);
}

static int parse_port(const char *text, in_port_t *ret)
{
        char *end;
        unsigned long port = strtoul(text, &end, 10);

        if (*text < '0' || *text > '9' || *end || port < 1 || port > 65535)
                return -EINVAL;
        *ret = htons((in_port_t)port);
        return 0;
}

int web_listen_parse(const char *text, struct web_listen *ret, struct errinfo *err)
{
        struct web_listen l = { 0 };
        struct sockaddr_in *in = (struct sockaddr_in *)&l.address;
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&l.address;
        char host[64], *port;

        if (strlen(text) >= sizeof(host))
                return err_set(err, -EINVAL, "[web] listen: '%.40s...' is too long to be ADDRESS:PORT", text);
        strcpy(l.text, text);
        strcpy(host, text);
        port = strrchr(host, ':');
        if (!port || port == host)
                return err_set(err, -EINVAL, "[web] listen: '%s' has no port; write ADDRESS:PORT, as in 127.0.0.1:9785", text);
        *port++ = '\0';
        if (*host == '[' && port - 2 > host && port[-2] == ']') {
                port[-2] = '\0';
                l.address.ss_family = AF_INET6;
                if (inet_pton(AF_INET6, host + 1, &in6->sin6_addr) != 1 || parse_port(port, &in6->sin6_port) < 0)
                        return err_set(err, -EINVAL, "[web] listen: '%s' is no [IPv6-ADDRESS]:PORT", text);
        } else {
                l.address.ss_family = AF_INET;
                /* No names: looking one up could hang on a dead resolver at boot. */
                if (inet_pton(AF_INET, host, &in->sin_addr) != 1 || parse_port(port, &in->sin_port) < 0)
                        return err_set(err, -EINVAL, "[web] listen: '%s' is no numeric ADDRESS:PORT; write IPv6 as [::1]:9785", text);
        }
        *ret = l;
        return 0;
}

/* A regular file of at most max bytes that nobody else may read when it is secret. */
static int read_file(const char *key, const char *path, size_t max, bool secret, char **ret, struct errinfo *err)
{
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        _cleanup_free_ char *text = NULL;
        size_t len = 0;
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0)
                return err_set(err, neg_errno(), "[web] %s: %s: %s", key, path, strerror(errno));
        if (!S_ISREG(st.st_mode) || (size_t)st.st_size > max)
                return err_set(err, -EINVAL, "[web] %s: %s is no regular file of at most %zu bytes", key, path, max);
        if (secret && st.st_mode & 0007)
                return err_set(err, -EPERM, "[web] %s: every user of this host may read or change %s; try: chmod o= %s", key, path, path);
        text = malloc(max + 1);
        if (!text)
                abort();
        while (len < max) {
                ssize_t n = read(fd, text + len, max - len);

                if (n < 0)
                        return err_set(err, neg_errno(), "[web] %s: %s: %s", key, path, strerror(errno));
                if (n == 0)
                        break;
                len += (size_t)n;
        }
        text[len] = '\0';
        if (strlen(text) != len)
                return err_set(err, -EINVAL, "[web] %s: %s is no text", key, path);
        *ret = take_ptr(text);
        return 0;
}

static int read_token(const char *path, char *token, size_t size, struct errinfo *err)
{
        _cleanup_free_ char *text = NULL;
        size_t len;
        int r = read_file("token_file", path, 4096, true, &text, err);

        if (r < 0)
                return r;
        assert(text);
        len = strcspn(text, "\r\n");
        if (text[len + strspn(text + len, "\r\n")])
                return err_set(err, -EINVAL, "[web] token_file: %s has more than one line", path);
        text[len] = '\0';
        if (len < TOKEN_MIN || len >= size)
                return err_set(err, -EINVAL, "[web] token_file: the token in %s has %zu characters, wanted are %d to %zu; try: openssl rand -hex 24",
                               path, len, TOKEN_MIN, size - 1);
        for (size_t i = 0; i < len; i++)
                if (text[i] <= ' ' || text[i] > '~')
                        return err_set(err, -EINVAL, "[web] token_file: the token in %s may have only printable ASCII without spaces", path);
        strcpy(token, text);
        return 0;
}

static int read_listen(const struct config *c, struct web_settings *s, struct errinfo *err)
{
        char *words[WEB_LISTEN_MAX];
        size_t n = config_list(c, "web", NULL, "listen", words, ARRAY_LEN(words));
        int r = 0;

        for (size_t i = 0; i < n; i++) {
                if (r >= 0)
                        r = web_listen_parse(words[i], &s->listen[i], err);
                free(words[i]);
        }
        s->n_listen = n;
        return r;
}

static int read_compat(const struct config *c, struct web_settings *s, struct errinfo *err)
{
        char *words[8];
        size_t n = config_list(c, "web", NULL, "compat", words, ARRAY_LEN(words));
        int r = 0;

        for (size_t i = 0; i < n; i++) {
                if (web_compat_from_name(words[i]))
                        s->compat |= web_compat_from_name(words[i]);
                else if (r >= 0)
                        r = err_set(err, -EINVAL, "[web] compat: '%s' is neither smartctl_exporter nor node_exporter", words[i]);
                free(words[i]);
        }
        return r;
}

static int read_tls(const struct config *c, struct web_settings *s, struct errinfo *err)
{
        const char *certificate = setting(c, "tls_certificate"), *key = setting(c, "tls_key");
        int r;

        if (!certificate && !key)
                return 0;
        if (!certificate || !key)
                return err_set(err, -EINVAL, "[web] %s is set but %s is not; TLS needs both", certificate ? "tls_certificate" : "tls_key",
                               certificate ? "tls_key" : "tls_certificate");
        r = read_file("tls_certificate", certificate, PEM_MAX, false, &s->certificate, err);
        return r < 0 ? r : read_file("tls_key", key, PEM_MAX, true, &s->key, err);
}

static int read_textfile(const struct config *c, struct web_settings *s, struct errinfo *err)
{
        const char *path = setting(c, "textfile");
        size_t len = path ? strlen(path) : 0;

        if (!path)
                return 0;
        if (len < 6 || !streq(path + len - 5, ".prom") || path[len - 6] == '/')
                return err_set(err, -EINVAL, "[web] textfile: %s does not end in NAME.prom; the textfile collector reads nothing else", path);
        s->textfile = strdup(path);
        return s->textfile ? 0 : -ENOMEM;
}

/* The rule this program stands on: nothing leaves the host without TLS and a token. */
int web_settings_check(const struct web_settings *s, struct errinfo *err)
{
        if (s->n_listen == 0 && !s->textfile)
                return err_set(err, -EINVAL, "[web] listen names no address and there is no textfile: veille-web has nothing to do");
        for (size_t i = 0; i < s->n_listen; i++) {
                if (web_address_is_loopback(&s->listen[i].address))
                        continue;
                if (!s->certificate || !*s->token)
                        return err_set(err, -EPERM, "[web] listen: %s can be reached from outside; that needs %s%s%s. Set them, or listen on 127.0.0.1:9785",
                                       s->listen[i].text, s->certificate ? "" : "tls_certificate and tls_key",
                                       !s->certificate && !*s->token ? ", and " : "", *s->token ? "" : "token_file");
        }
        return 0;
}

int web_settings_read(const struct config *config, struct web_settings *ret, struct errinfo *err)
{
        struct web_settings s = { 0 };
        const char *token = setting(config, "token_file"), *name = config_string(config, "host", NULL, "name");
        int r;

        s.silent_after_s = (int)config_int(config, "web", NULL, "silent_after");
        s.connections = (unsigned)config_int(config, "web", NULL, "connections");
        s.n_hosts = config_list(config, "web", NULL, "hosts", s.hosts, WEB_HOSTS_MAX - 1);
        if (name)
                s.hosts[s.n_hosts++] = strdup(name);
        r = read_textfile(config, &s, err);
        if (r >= 0)
                r = read_listen(config, &s, err);
        if (r >= 0)
                r = read_compat(config, &s, err);
        if (r >= 0)
                r = read_tls(config, &s, err);
        if (r >= 0 && token)
                r = read_token(token, s.token, sizeof(s.token), err);
        if (r >= 0)
                r = web_settings_check(&s, err);
        if (r < 0) {
                web_settings_done(&s);
                return r;
        }
        *ret = s;
        return 0;
}

void web_settings_done(struct web_settings *s)
{
        /* The key and the token must not linger in freed memory. */
        if (s->key)
                explicit_bzero(s->key, strlen(s->key));
        explicit_bzero(s->token, sizeof(s->token));
        free(s->key);
        free(s->certificate);
        free(s->textfile);
        for (size_t i = 0; i < s->n_hosts; i++)
                free(s->hosts[i]);
        *s = (struct web_settings){ 0 };
}
