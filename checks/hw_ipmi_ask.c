/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Whether the host's own management controller answers at all: the shortest question there is (Get Device ID, IPMI 2.0 chapter
 * 20.1), through the kernel's own driver (linux/ipmi.h). FreeIPMI waits a minute for each answer and asks again, so that a
 * controller that hangs would be told of minutes later only. */

#include "hw_ipmi.h"

#include <fcntl.h>
#include <linux/ipmi.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#define NETFN_APP 0x06
#define GET_DEVICE_ID 0x01
#define CODE_TIMEOUT 0xC3     /* the driver gave up waiting (IPMI 2.0, table 5-2) */
#define CODE_UNSPECIFIED 0xFF /* and what it makes of an interface that is stuck */
#define MESSAGE_ID 0x7665     /* comes back with the answer */

int ipmi_ask(const char *device, int timeout_ms)
{
        _cleanup_close_ int fd = open(device, O_RDWR | O_CLOEXEC | O_NONBLOCK);
        struct ipmi_system_interface_addr to = { .addr_type = IPMI_SYSTEM_INTERFACE_ADDR_TYPE, .channel = IPMI_BMC_CHANNEL };
        struct ipmi_req request = { .addr = (unsigned char *)&to, .addr_len = sizeof(to), .msgid = MESSAGE_ID,
                                    .msg = { .netfn = NETFN_APP, .cmd = GET_DEVICE_ID } };
        unsigned char data[64] = { 0 };
        struct ipmi_addr from;
        struct ipmi_recv answer = { .addr = (unsigned char *)&from, .addr_len = sizeof(from), .msg = { .data = data, .data_len = sizeof(data) } };
        struct stat st;
        int r;

        if (fd < 0 || fstat(fd, &st) < 0)
                return neg_errno();
        if (!S_ISCHR(st.st_mode))
                return -ENOTTY;
        if (ioctl(fd, IPMICTL_SEND_COMMAND, &request) < 0)
                return neg_errno();
        r = poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, timeout_ms);
        if (r < 0)
                return neg_errno();
        if (r == 0)
                return -ETIME;
        if (ioctl(fd, IPMICTL_RECEIVE_MSG_TRUNC, &answer) < 0 && errno != EMSGSIZE)
                return neg_errno();
        return answer.msg.data_len > 0 && (data[0] == CODE_TIMEOUT || data[0] == CODE_UNSPECIFIED) ? -ETIME : 0;
}
