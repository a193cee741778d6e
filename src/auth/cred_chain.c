/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A choice asks one provider, or looks into the profile for what it is for.
 * The profile is read once, when the first choice wants it, since all that
 * follow must mean the same one.
 */
#include "auth/cred_chain.h"

#include <errno.h>
#include <string.h>

#include "auth/aws_profile.h"
#include "auth/cred_ask.h"
#include "auth/cred_container.h"
#include "auth/cred_env.h"
#include "auth/cred_imds.h"
#include "auth/cred_profile.h"
#include "auth/creds.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

static const struct {
	const char *word;
	cred_provider *read; /* NULL: the profile is asked */
	unsigned kinds; /* ... for these */
	const char *key; /* what is missing in a profile without */
} chain_choices[] = {
	[CRED_AUTO] = { "auto", NULL, CRED_PROFILE_ALL, "aws_access_key_id" },
	[CRED_STATIC] = { "static" },
	[CRED_ANONYMOUS] = { "anonymous" },
	[CRED_ENV] = { "env", cred_env_read },
	[CRED_PROFILE] = { NULL, NULL, CRED_PROFILE_ALL, "aws_access_key_id" },
	[CRED_PROCESS] = { "process", NULL, CRED_PROFILE_PROCESS,
			   "credential_process" },
	[CRED_WEB_IDENTITY] = { "web_identity", NULL, CRED_PROFILE_WEB_IDENTITY,
				"web_identity_token_file" },
	[CRED_SSO] = { "sso", NULL, CRED_PROFILE_SSO, "sso_account_id" },
	[CRED_CONTAINER] = { "container", cred_container_read },
	[CRED_IMDS] = { "imds", cred_imds_read },
};

static int chain_parse_word(const char *s, size_t n, struct cred_order *out,
			    enum cred_choice *choice)
{
	static const char prefix[] = "profile:";
	size_t skip = strlen(prefix);

	if (n > skip && !memcmp(s, prefix, skip)) {
		if (*out->profile || n - skip >= sizeof(out->profile))
			return -EINVAL;
		memcpy(out->profile, s + skip, n - skip);
		*choice = CRED_PROFILE;
		return 0;
	}
	for (size_t i = 0; i < LEN(chain_choices); i++) {
		const char *word = chain_choices[i].word;

		if (word && strlen(word) == n && !memcmp(s, word, n)) {
			*choice = i;
			return 0;
		}
	}
	return -EINVAL;
}

int cred_chain_parse(const char *text, struct cred_order *out)
{
	*out = (struct cred_order){ 0 };
	for (;;) {
		size_t n = strcspn(text, ","), room = n;
		enum cred_choice choice;

		while (room && *text == ' ') {
			text++;
			room--;
		}
		n = room;
		while (room && text[room - 1] == ' ')
			room--;
		if (out->n == CRED_ORDER_MAX ||
		    chain_parse_word(text, room, out, &choice))
			return -EINVAL;
		out->choices[out->n++] = choice;
		/* The three that are no providers stand alone. */
		if (out->n > 1 &&
		    (choice < CRED_ENV || out->choices[0] < CRED_ENV))
			return -EINVAL;
		if (!text[n])
			return 0;
		text += n + 1;
	}
}

/* One search. */
struct chain {
	struct cred_ask *ask;
	const char *name; /* of the profile; NULL: the one in use */
	struct aws_profile profile;
	bool looked;
	int profile_rc;
};

static void chain_look(struct chain *s)
{
	BUF_LOCAL why = BUF_INIT(BUF_MESSAGE);

	s->looked = true;
	s->profile_rc = aws_profile_read(s->name, &s->profile, &why);
	if (s->profile_rc)
		cred_ask_fail(s->ask, s->profile_rc, "%s", buf_str(&why));
	if (s->profile_rc == -ENOENT && !s->name && aws_profile_is_named())
		s->profile_rc = -EINVAL;
}

/* Nothing of the kind in a profile that is there: what would it be? */
static int chain_say_nothing(struct chain *s, enum cred_choice choice)
{
	const struct aws_profile *p = &s->profile;
	const char *sso = p->values[AWS_KEY_SSO_SESSION] ? "sso_session"
							 : "sso_start_url";

	if (choice != CRED_PROCESS && choice != CRED_WEB_IDENTITY &&
	    (p->values[AWS_KEY_SSO_SESSION] ||
	     p->values[AWS_KEY_SSO_START_URL]))
		return cred_ask_fail(s->ask, -EINVAL,
				     "profile %s: sso_account_id and "
				     "sso_role_name are missing beside %s",
				     p->name, sso);
	return cred_ask_fail(s->ask, -ENOENT, "profile %s: %s is missing",
			     p->name, chain_choices[choice].key);
}

static int chain_read_profile(struct chain *s, enum cred_choice choice,
			      struct creds **out)
{
	int rc;

	if (!s->looked)
		chain_look(s);
	if (s->profile_rc && s->profile_rc != -ENOENT)
		return s->profile_rc;
	s->ask->env = choice != CRED_PROFILE;
	rc = cred_profile_read(s->ask, s->profile_rc ? NULL : &s->profile,
			       chain_choices[choice].kinds, out);
	if (rc == -ENOENT && !s->profile_rc)
		rc = chain_say_nothing(s, choice);
	return rc;
}

static int chain_read_choice(struct chain *s, enum cred_choice choice,
			     struct creds **out)
{
	int rc = -ENOENT;

	if (chain_choices[choice].read)
		return chain_choices[choice].read(s->ask, out);
	if (choice == CRED_AUTO)
		rc = cred_env_read(s->ask, out);
	if (rc == -ENOENT)
		rc = chain_read_profile(s, choice, out);
	if (rc == -ENOENT && choice == CRED_AUTO)
		rc = cred_container_read(s->ask, out);
	if (rc == -ENOENT && choice == CRED_AUTO)
		rc = cred_imds_read(s->ask, out);
	return rc;
}

int cred_chain_read(struct cred_ask *ask, const struct cred_order *order,
		    int64_t *stamp, struct creds **out)
{
	struct chain s = {
		.ask = ask,
		.name = *order->profile ? order->profile : NULL,
	};
	int rc = -ENOENT;

	*out = NULL;
	for (unsigned i = 0; i < order->n && rc == -ENOENT; i++)
		rc = chain_read_choice(&s, order->choices[i], out);
	*stamp = s.profile.stamp;
	aws_profile_clear(&s.profile);
	return rc;
}
