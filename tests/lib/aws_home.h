/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A home directory of its own for tests that read ~/.aws.
 */
#ifndef TESTS_LIB_AWS_HOME_H
#define TESTS_LIB_AWS_HOME_H

/* Makes it, and clears what the environment says about AWS. */
void aws_home_init(void);
void aws_home_clear(void);

/*
 * Replaces ~/.aws/NAME as an editor does, by a rename; NULL removes it.
 * Returns its path, borrowed until the next call.
 */
const char *aws_home_write(const char *name, const char *content);

#endif
