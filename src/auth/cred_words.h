/*
 * A command line cut into words as a POSIX shell would cut it, with nothing
 * else of a shell: no variables, globs, pipes or comments. Pure.
 */
#ifndef AUTH_CRED_WORDS_H
#define AUTH_CRED_WORDS_H

#define CRED_WORDS_MAX 128

/*
 * White space parts words; '...' is literal; in "..." a backslash escapes `"`
 * and itself; outside it escapes any byte. *out ends in NULL and is freed by
 * cred_words_free(). 0, -EINVAL (a quote that is not closed, a backslash at
 * the end, no words at all), -E2BIG or -ENOMEM.
 */
int cred_words(const char *line, char ***out);
void cred_words_free(char **words);

#endif
