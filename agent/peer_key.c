/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Keys. As in ssh, a host is its key: the certificate around it is made anew at each start, has no date that anybody looks at, and
 * nobody but the host itself signs it. */

#include <fcntl.h>
#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <sys/stat.h>

#include "common_file.h"
#include "peer.h"

#define KEY_FILE "key.pem"
#define KEY_MAX 8192

static int fail(struct errinfo *err, const char *what, int r)
{
        return err_set(err, -EIO, "%s: %s", what, gnutls_strerror(r));
}

/* Only a file that nobody else could have read is a key. */
static int read_key(const char *path, char *buf, size_t size, struct errinfo *err)
{
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        struct stat st;
        ssize_t n;

        if (fd < 0)
                return err_set(err, neg_errno(), "%s: %s", path, strerror(errno));
        if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size <= 0 || (size_t)st.st_size >= size)
                return err_set(err, -EINVAL, "%s is no key", path);
        if ((st.st_mode & 0077) || st.st_uid != geteuid())
                return err_set(err, -EPERM, "%s may be read or changed by others: it is no secret any more. If that was by mistake: chmod 600, and its owner is "
                                            "to be the user of veille-peer; else remove it and pair anew", path);
        n = read(fd, buf, size - 1);
        if (n < 0)
                return err_set(err, neg_errno(), "%s: %s", path, strerror(errno));
        buf[n] = '\0';
        return 0;
}

static int make_key(gnutls_x509_privkey_t key, const char *dir, struct errinfo *err)
{
        gnutls_datum_t pem = { 0 };
        int r = gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);

        if (r >= 0)
                r = gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN, &pem);
        if (r < 0)
                return fail(err, "a key cannot be made", r);
        r = file_write_atomic(dir, KEY_FILE, pem.data, pem.size, 0600, true);
        gnutls_memset(pem.data, 0, pem.size);
        gnutls_free(pem.data);
        if (r < 0)
                return err_set(err, r, "%s/" KEY_FILE ": %s", dir, strerror(-r));
        peer_log(PEER_NOTICE, "made the key of this host: %s/" KEY_FILE, dir);
        return 0;
}

static int make_certificate(gnutls_x509_privkey_t key, gnutls_x509_crt_t crt, struct errinfo *err)
{
        static const char name[] = "veille";
        const unsigned char serial[] = { 1 };
        int r = gnutls_x509_crt_set_version(crt, 3);

        if (r >= 0)
                r = gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, name, sizeof(name) - 1);
        if (r >= 0)
                r = gnutls_x509_crt_set_serial(crt, serial, sizeof(serial));
        if (r >= 0)
                r = gnutls_x509_crt_set_key(crt, key);
        if (r >= 0)
                r = gnutls_x509_crt_set_activation_time(crt, 0);
        if (r >= 0)
                r = gnutls_x509_crt_set_expiration_time(crt, (time_t)-1); /* none (RFC 5280, 4.1.2.5) */
        if (r >= 0)
                r = gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0);
        return r < 0 ? fail(err, "a certificate cannot be made", r) : 0;
}

static int pin_of(gnutls_x509_crt_t crt, char ret[PEER_PIN_LEN + 1])
{
        unsigned char id[64];
        size_t n = sizeof(id);
        gnutls_datum_t text = { 0 };
        int r = gnutls_x509_crt_get_key_id(crt, GNUTLS_KEYID_USE_SHA256, id, &n);

        if (r < 0 || n != 32)
                return -EINVAL;
        r = gnutls_base64_encode2(&(gnutls_datum_t){ id, (unsigned)n }, &text);
        if (r < 0 || text.size < PEER_PIN_LEN) {
                gnutls_free(text.data);
                return -EINVAL;
        }
        memcpy(ret, text.data, PEER_PIN_LEN);
        ret[PEER_PIN_LEN] = '\0';
        gnutls_free(text.data);
        return 0;
}

static int pin_of_data(const void *data, size_t len, gnutls_x509_crt_fmt_t format, char ret[PEER_PIN_LEN + 1])
{
        const gnutls_datum_t datum = { (unsigned char *)data, (unsigned)len };
        gnutls_x509_crt_t crt;
        int r;

        if (gnutls_x509_crt_init(&crt) < 0)
                abort();
        r = gnutls_x509_crt_import(crt, &datum, format);
        r = r < 0 ? -EINVAL : pin_of(crt, ret);
        gnutls_x509_crt_deinit(crt);
        return r;
}

int peer_key_pin_der(const void *der, size_t len, char ret[PEER_PIN_LEN + 1])
{
        return pin_of_data(der, len, GNUTLS_X509_FMT_DER, ret);
}

int peer_key_pin_pem(const char *pem, char ret[PEER_PIN_LEN + 1])
{
        return pin_of_data(pem, strlen(pem), GNUTLS_X509_FMT_PEM, ret);
}

static char *as_text(gnutls_datum_t *d)
{
        char *s = strndup((char *)d->data, d->size);

        if (!s)
                abort();
        gnutls_free(d->data);
        return s;
}

static int load_key(gnutls_x509_privkey_t key, const char *dir, struct errinfo *err)
{
        char path[4096], pem[KEY_MAX];
        int r;

        snprintf(path, sizeof(path), "%s/" KEY_FILE, dir);
        r = read_key(path, pem, sizeof(pem), err);
        if (r == -ENOENT)
                return make_key(key, dir, err);
        if (r < 0)
                return r;
        r = gnutls_x509_privkey_import2(key, &(gnutls_datum_t){ (unsigned char *)pem, (unsigned)strlen(pem) }, GNUTLS_X509_FMT_PEM, NULL, 0);
        gnutls_memset(pem, 0, sizeof(pem));
        return r < 0 ? fail(err, path, r) : 0;
}

int peer_key_open(struct peerd *d, struct errinfo *err)
{
        gnutls_datum_t key_pem = { 0 }, cert_pem = { 0 };
        gnutls_x509_privkey_t key;
        gnutls_x509_crt_t crt;
        char dir[4096];
        int r;

        snprintf(dir, sizeof(dir), "%s/peer", d->options.state);
        if ((mkdir(d->options.state, 0750) < 0 && errno != EEXIST) || (mkdir(dir, 0700) < 0 && errno != EEXIST))
                return err_set(err, neg_errno(), "%s: %s", dir, strerror(errno));
        if (gnutls_x509_privkey_init(&key) < 0 || gnutls_x509_crt_init(&crt) < 0)
                abort();
        r = load_key(key, dir, err);
        if (r >= 0)
                r = make_certificate(key, crt, err);
        if (r >= 0 && pin_of(crt, d->pin) < 0)
                r = err_set(err, -EIO, "the key has no fingerprint");
        if (r >= 0) {
                if (gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN, &key_pem) < 0 ||
                    gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &cert_pem) < 0)
                        abort();
                d->key_pem = as_text(&key_pem);
                d->cert_pem = as_text(&cert_pem);
        }
        gnutls_x509_crt_deinit(crt);
        gnutls_x509_privkey_deinit(key);
        return r;
}
