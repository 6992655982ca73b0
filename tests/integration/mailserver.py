# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real Postfix with a real Dovecot (Debian's, unpacked below build/) for tests: submission on 587 with STARTTLS and AUTH, mail from
strangers on 25, mailboxes by IMAP. They run in a root of their own (an overlay of the packages over this host's root) and in the network
namespace of the caller; what is written goes to a directory that ends with the test. The caller is root in namespaces of its own."""

import glob
import imaplib
import os
import signal
import socket
import ssl
import subprocess

import unpacked

PACKAGES = ["postfix", "dovecot-core", "dovecot-imapd", "libexttextcat-2.0-0", "libstemmer0d", "libsodium23", "liblua5.4-0", "libnsl2", "ssl-cert"]
DOMAIN, HOST = "example.org", "mx.example.org"

PASSWD = """root:x:0:0:root:/root:/bin/sh
nobody:x:65534:65534:nobody:/nonexistent:/bin/false
postfix:x:901:901::/var/spool/postfix:/bin/false
dovecot:x:902:902::/usr/lib/dovecot:/bin/false
dovenull:x:903:903::/nonexistent:/bin/false
vmail:x:904:904::/var/vmail:/bin/false
"""
GROUP = "root:x:0:\nnogroup:x:65534:\npostfix:x:901:\npostdrop:x:905:\ndovecot:x:902:\ndovenull:x:903:\nvmail:x:904:\nmail:x:8:\n"

MAIN = """compatibility_level = 3.6
maillog_file = /var/log/postfix.log
maillog_file_prefixes = /var
myhostname = %(host)s
mydestination =
mynetworks =
inet_interfaces = all
inet_protocols = ipv4
alias_maps =
smtpd_tls_cert_file = /etc/test.pem
smtpd_tls_key_file = /etc/test.key
smtpd_tls_security_level = may
smtpd_sasl_type = dovecot
smtpd_sasl_path = private/auth
smtpd_tls_auth_only = yes
smtpd_tls_received_header = yes
smtpd_sasl_authenticated_header = yes
smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination
virtual_mailbox_domains = %(domain)s
virtual_mailbox_base = /var/vmail
virtual_minimum_uid = 100
virtual_uid_maps = static:904
virtual_gid_maps = static:904
virtual_mailbox_maps = inline:{ann@%(domain)s=ann/Maildir/, bob@%(domain)s=bob/Maildir/, carl@%(domain)s=carl/Maildir/}
"""
MASTER = """smtp inet n - n - - smtpd
submission inet n - n - - smtpd
  -o smtpd_tls_security_level=encrypt
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_client_restrictions=permit_sasl_authenticated,reject
smtps inet n - n - - smtpd
  -o smtpd_tls_wrappermode=yes
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_client_restrictions=permit_sasl_authenticated,reject
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""
DOVECOT = """base_dir = /run/dovecot
log_path = /var/log/dovecot.log
protocols = imap
listen = 127.0.0.1
ssl = required
ssl_cert = </etc/test.pem
ssl_key = </etc/test.key
mail_location = maildir:/var/vmail/%%n/Maildir
mail_uid = vmail
mail_gid = vmail
first_valid_uid = 100
passdb {
  driver = passwd-file
  args = scheme=PLAIN /etc/test.users
}
userdb {
  driver = static
  args = uid=vmail gid=vmail home=/var/vmail/%%n
}
service auth {
  unix_listener /var/spool/postfix/private/auth {
    mode = 0660
    user = postfix
    group = postfix
  }
}
"""


def unpack():
    """Before a network namespace is entered. Raises RuntimeError."""
    return unpacked.unpack(PACKAGES)


class MailServer:
    def __init__(self, directory, users):
        """users: name -> password; mail for NAME@example.org."""
        self.dir, self.users, self.root, self.processes = directory, users, directory + "/root", []
        for name in ("root", "layer"):
            os.mkdir(directory + "/" + name)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "layer", directory + "/layer"], check=True)
        for name in ("up", "work"):
            os.mkdir(directory + "/layer/" + name)
        package = unpack()
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o", "lowerdir=/,upperdir=%s/layer/up,workdir=%s/layer/work" % (directory, directory),
                        self.root], check=True)
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o", "lowerdir=%s/usr:/usr" % package, self.root + "/usr"], check=True)
        for name in ("etc", "var"):
            subprocess.run(["cp", "-a", package + "/" + name + "/.", self.root + "/" + name], check=True)
        for name in ("proc", "dev"):
            subprocess.run(["mount", "--rbind", "/" + name, self.root + "/" + name], check=True)
        for name in ("run", "tmp"):
            subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=1777" if name == "tmp" else "mode=755", "tmpfs", self.root + "/" + name], check=True)
        self.certificate()
        words = {"host": HOST, "domain": DOMAIN}
        for path, text in (("passwd", PASSWD), ("group", GROUP), ("postfix/main.cf", MAIN % words), ("postfix/master.cf", MASTER),
                           ("dovecot/dovecot.conf", DOVECOT % {}), ("test.users", "".join("%s:{PLAIN}%s\n" % u for u in users.items())),
                           ("postfix/dynamicmaps.cf", ""), ("hosts", "127.0.0.1 localhost %s\n" % HOST), ("nsswitch.conf", "hosts: files dns\n")):
            self.write("/etc/" + path, text)
        for path, user, mode in (("/var/vmail", 904, 0o700), ("/var/lib/postfix", 901, 0o755), ("/var/spool/postfix/private", 901, 0o700),
                                 ("/var/log", 0, 0o755)):
            os.makedirs(self.root + path, exist_ok=True)
            os.chown(self.root + path, user, user)
            os.chmod(self.root + path, mode)

    def write(self, path, text):
        os.makedirs(os.path.dirname(self.root + path), exist_ok=True)
        with open(self.root + path, "w") as f:
            f.write(text)

    def certificate(self):
        """For mx.example.org and 127.0.0.1; self.ca is the file that others trust."""
        self.ca = self.dir + "/ca.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
                        self.root + "/etc/test.key", "-out", self.ca, "-days", "2", "-subj", "/CN=" + HOST, "-addext",
                        "subjectAltName=DNS:%s,IP:127.0.0.1" % HOST], check=True, capture_output=True)
        with open(self.ca) as f:
            self.write("/etc/test.pem", f.read())

    def inside(self, words):
        return ["chroot", self.root, "/usr/bin/env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"] + words

    def start(self):
        for words in (["/usr/sbin/dovecot", "-F"], ["/usr/sbin/postfix", "start-fg"]):
            log = open(self.dir + "/" + os.path.basename(words[0]) + ".out", "ab")
            self.processes.append(subprocess.Popen(self.inside(words), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True))

    def ready(self):
        """Every port answers."""
        try:
            for port in (25, 465, 587, 143):
                socket.create_connection(("127.0.0.1", port), 5).close()
        except OSError:
            return False
        return True

    def logs(self):
        text = ""
        for path in glob.glob(self.dir + "/*.out") + glob.glob(self.root + "/var/log/[dp]o[vs]*.log"):
            with open(path, errors="replace") as f:
                text += path + ":\n" + f.read()[-2500:]
        return text

    def stop(self):
        """They end their children themselves; what is left belongs to a session that we made."""
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def unmount(self):
        """In reverse order; lazily, for what still holds a file."""
        for name in ("/root", "/layer"):
            subprocess.run(["umount", "-R", "-l", self.dir + name], check=False)

    def imap(self, user):
        tls = ssl.create_default_context(cafile=self.ca)
        box = imaplib.IMAP4("127.0.0.1")
        box.starttls(tls)
        box.login(user, self.users[user])
        return box

    def mails(self, user):
        """All letters in the mailbox, as bytes, oldest first; None while nobody listens."""
        try:
            box = self.imap(user)
        except (OSError, imaplib.IMAP4.error):
            return None
        try:
            box.select()
            numbers = box.search(None, "ALL")[1][0].split()
            return [box.fetch(n, "(RFC822)")[1][0][1] for n in numbers]
        finally:
            box.logout()
