// SPDX-FileCopyrightText: 2026 The veille authors
// SPDX-License-Identifier: GPL-2.0-only

/* A memory controller of two DIMMs that has errors on command, registered with the kernel's real EDAC core: so sysfs, the
 * ras:mc_event tracepoint and the kernel's log say what they say on hardware.
 *
 *     echo "ce COUNT DIMM" > /sys/kernel/debug/lab_edac     (or ue) */

#include <linux/debugfs.h>
#include <linux/edac.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/uaccess.h>

/* Exported by edac_core, declared in drivers/edac/edac_mc.h, which Debian does not ship. */
struct mem_ctl_info *edac_mc_alloc(unsigned int number, unsigned int n_layers, struct edac_mc_layer *layers, unsigned int private_size);
int edac_mc_add_mc_with_groups(struct mem_ctl_info *mci, const struct attribute_group **groups);
void edac_mc_free(struct mem_ctl_info *mci);
struct mem_ctl_info *edac_mc_del_mc(struct device *dev);
void edac_mc_handle_error(const enum hw_event_mc_err_type type, struct mem_ctl_info *mci, const u16 count, const unsigned long page,
			  const unsigned long offset, const unsigned long syndrome, const int top, const int middle, const int low,
			  const char *text, const char *other);

static struct platform_device *device;
static struct mem_ctl_info *controller;
static struct dentry *knob;

static ssize_t knob_write(struct file *f, const char __user *user, size_t size, loff_t *at)
{
	char buf[64], kind[4];
	unsigned int count, dimm;

	if (size >= sizeof(buf) || copy_from_user(buf, user, size))
		return -EINVAL;
	buf[size] = 0;
	if (sscanf(buf, "%3s %u %u", kind, &count, &dimm) != 3 || dimm > 1 || count > 60000)
		return -EINVAL;
	edac_mc_handle_error(kind[0] == 'u' ? HW_EVENT_ERR_UNCORRECTED : HW_EVENT_ERR_CORRECTED, controller, count, 0x1234, 0x40, 0xab,
			     dimm, 0, -1, "lab", "injected");
	return size;
}

static const struct file_operations knob_operations = { .owner = THIS_MODULE, .write = knob_write };

static int __init lab_edac_init(void)
{
	struct edac_mc_layer layers[] = {
		{ .type = EDAC_MC_LAYER_CHIP_SELECT, .size = 2, .is_virt_csrow = true },
		{ .type = EDAC_MC_LAYER_CHANNEL, .size = 1 },
	};
	int i;

	device = platform_device_register_simple("lab_edac", -1, NULL, 0);
	if (IS_ERR(device))
		return PTR_ERR(device);
	controller = edac_mc_alloc(0, ARRAY_SIZE(layers), layers, 0);
	if (!controller) {
		platform_device_unregister(device);
		return -ENOMEM;
	}
	controller->pdev = &device->dev;
	controller->mtype_cap = MEM_FLAG_DDR4;
	controller->edac_ctl_cap = controller->edac_cap = EDAC_FLAG_SECDED;
	controller->mod_name = controller->ctl_name = "lab";
	controller->dev_name = dev_name(&device->dev);
	for (i = 0; i < controller->tot_dimms; i++) {
		struct dimm_info *d = controller->dimms[i];

		d->nr_pages = 0x20000;
		d->grain = 8;
		d->mtype = MEM_DDR4;
		d->edac_mode = EDAC_SECDED;
		d->dtype = DEV_X8;
		snprintf(d->label, sizeof(d->label), "DIMM_%c1", 'A' + i);
	}
	if (edac_mc_add_mc_with_groups(controller, NULL)) {
		edac_mc_free(controller);
		platform_device_unregister(device);
		return -EIO;
	}
	knob = debugfs_create_file("lab_edac", 0200, NULL, NULL, &knob_operations);
	return 0;
}

static void __exit lab_edac_exit(void)
{
	debugfs_remove(knob);
	edac_mc_del_mc(&device->dev);
	edac_mc_free(controller);
	platform_device_unregister(device);
}

module_init(lab_edac_init);
module_exit(lab_edac_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("memory errors on command, for a lab");
