/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names of Amazon's documentation, and of others that speak its protocol. A
 * class that a server's owner has named (Ceph) has no number: it is asked for
 * where it matters.
 */
#include "store/storage_class.h"

#include <stddef.h>
#include <string.h>

#define CLASSES (sizeof(classes) / sizeof(*classes))

static const char *const classes[] = {
	[STORAGE_CLASS_STANDARD] = "STANDARD",
	"REDUCED_REDUNDANCY",
	"STANDARD_IA",
	"ONEZONE_IA",
	"INTELLIGENT_TIERING",
	"GLACIER",
	"DEEP_ARCHIVE",
	"OUTPOSTS",
	"GLACIER_IR",
	"SNOW",
	"EXPRESS_ONEZONE",
	"FSX_OPENZFS",
	"IA",
	"ARCHIVE",
	"COLD_ARCHIVE",
	"DEEP_COLD_ARCHIVE",
	"NEARLINE",
	"COLDLINE",
	"REGIONAL",
	"MULTI_REGIONAL",
	"DURABLE_REDUCED_AVAILABILITY",
	"WARM",
	"COLD",
	"MAZ_STANDARD",
	"MAZ_STANDARD_IA",
};

uint8_t storage_class(const char *name)
{
	uint8_t class = 1;

	while (class < CLASSES && strcmp(classes[class], name) != 0)
		class ++;
	return class < CLASSES ? class : 0;
}

const char *storage_class_name(uint8_t class)
{
	return class && class < CLASSES ? classes[class] : NULL;
}
