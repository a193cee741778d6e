/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The walk through an XML document of a server that need not be trusted: no
 * document type, no entities of its own, bounded depth and text. What was read
 * is wiped: it may be a secret.
 */
#ifndef BASE_XML_H
#define BASE_XML_H

#include <stddef.h>

#define XML_DEPTH 16
#define XML_TEXT 16384 /* of an element */

struct xml_walk {
	/*
	 * An element begins, or ends with its text (which a container has
	 * too: white space). path: the names from the root, "A/B/C", without
	 * namespaces. Not 0 ends the walk with that.
	 */
	int (*begin)(void *arg, const char *path); /* may be NULL */
	int (*end)(void *arg, const char *path, const char *text, size_t n);
	void *arg;
};

/*
 * 0; -EBADMSG: no well-formed document, or one that has what is refused;
 * -EREMOTEIO: its root is <Error> while `root` was expected; -ENOMEM.
 * root "Error" expects that, NULL whatever comes.
 */
int xml_parse(const char *body, size_t n, const char *root,
	      const struct xml_walk *walk);

#endif
