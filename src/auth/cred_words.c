/*
 * One buffer gathers the word that is being read; `open` says whether there is
 * one, since "" is a word too.
 */
#include "auth/cred_words.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

struct splitter {
	struct buf word;
	bool open;
	char **words;
	unsigned n;
};

static int end_word(struct splitter *s)
{
	if (!s->open)
		return 0;
	if (s->n == CRED_WORDS_MAX)
		return -E2BIG;
	s->words[s->n] = strdup(buf_str(&s->word));
	if (!s->words[s->n] || buf_err(&s->word))
		return -ENOMEM;
	s->n++;
	s->open = false;
	buf_reset(&s->word);
	return 0;
}

/* *p stands behind the opening quote, and ends behind the closing one. */
static int take_quoted(struct splitter *s, char quote, const char **p)
{
	for (; **p; ++*p) {
		if (**p == quote) {
			++*p;
			return 0;
		}
		if (quote == '"' && **p == '\\' &&
		    ((*p)[1] == '"' || (*p)[1] == '\\'))
			++*p;
		buf_addc(&s->word, **p);
	}
	return -EINVAL;
}

static int split(struct splitter *s, const char *p)
{
	int rc = 0;

	while (*p && !rc) {
		char c = *p++;

		if (strchr(" \t\r\n", c)) {
			rc = end_word(s);
			continue;
		}
		s->open = true;
		if (c == '\'' || c == '"')
			rc = take_quoted(s, c, &p);
		else if (c == '\\' && !*p)
			rc = -EINVAL;
		else
			buf_addc(&s->word, c == '\\' ? *p++ : c);
	}
	if (!rc)
		rc = end_word(s);
	return rc || s->n ? rc : -EINVAL;
}

int cred_words(const char *line, char ***out)
{
	struct splitter s = { .word = BUF_INIT(BUF_LINE) };
	int rc;

	*out = NULL;
	s.words = calloc(CRED_WORDS_MAX + 1, sizeof(*s.words));
	if (!s.words)
		return -ENOMEM;
	rc = split(&s, line);
	buf_clear(&s.word);
	if (rc)
		cred_words_free(s.words);
	else
		*out = s.words;
	return rc;
}

void cred_words_free(char **words)
{
	for (char **w = words; w && *w; w++)
		free(*w);
	free(words);
}
