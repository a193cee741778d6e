/*
 * The order is a table of steps; each choice is the set of steps that it goes
 * through. The profile is read once, when the first step wants it, since all
 * the steps after it must mean the same one.
 */
#include "auth/cred_chain.h"

#include <errno.h>
#include <string.h>

#include "auth/aws_files.h"
#include "auth/aws_profile.h"
#include "auth/cred_ask.h"
#include "auth/cred_container.h"
#include "auth/cred_env.h"
#include "auth/cred_imds.h"
#include "auth/cred_profile.h"
#include "auth/cred_role.h"
#include "auth/creds.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))
#define CHOICE(c) (1u << (c))

static const struct {
	const char *word;
	enum cred_choice choice;
} words[] = {
	{ "auto", CRED_AUTO },
	{ "static", CRED_STATIC },
	{ "anonymous", CRED_ANONYMOUS },
	{ "env", CRED_ENV },
	{ "process", CRED_PROCESS },
	{ "web_identity", CRED_WEB_IDENTITY },
	{ "sso", CRED_SSO },
	{ "container", CRED_CONTAINER },
	{ "imds", CRED_IMDS },
};

static int parse_word(const char *s, size_t n, struct cred_order *out,
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
	for (size_t i = 0; i < LEN(words); i++) {
		if (strlen(words[i].word) == n &&
		    !memcmp(s, words[i].word, n)) {
			*choice = words[i].choice;
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
		    parse_word(text, room, out, &choice))
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
struct search {
	struct cred_ask *ask;
	const char *name; /* of the profile; NULL: the one in use */
	bool env; /* the environment may add to the profile */
	struct aws_profile profile;
	bool looked;
	int profile_rc;
};

static void look(struct search *s)
{
	struct buf why = BUF_INIT(BUF_MESSAGE);

	s->looked = true;
	s->profile_rc = aws_profile_read(s->name, &s->profile, &why);
	if (s->profile_rc)
		cred_ask_fail(s->ask, s->profile_rc, "%s", buf_str(&why));
	if (s->profile_rc == -ENOENT && !s->name && aws_profile_is_named())
		s->profile_rc = -EINVAL;
	buf_clear(&why);
}

/* Each step: what it asks, or what of the profile, and for which choices. */
static const struct {
	int (*read)(struct cred_ask *ask, struct creds **out);
	cred_profile_step *of_profile; /* both NULL: the web identity */
	unsigned choices;
} steps[] = {
	{ cred_env_ask, NULL, CHOICE(CRED_AUTO) | CHOICE(CRED_ENV) },
	{ NULL, cred_role_read, CHOICE(CRED_AUTO) | CHOICE(CRED_PROFILE) },
	{ NULL, NULL,
	  CHOICE(CRED_AUTO) | CHOICE(CRED_PROFILE) |
		  CHOICE(CRED_WEB_IDENTITY) },
	{ NULL, cred_profile_sso,
	  CHOICE(CRED_AUTO) | CHOICE(CRED_PROFILE) | CHOICE(CRED_SSO) },
	{ NULL, cred_profile_shared_keys,
	  CHOICE(CRED_AUTO) | CHOICE(CRED_PROFILE) },
	{ NULL, cred_profile_login, CHOICE(CRED_AUTO) | CHOICE(CRED_PROFILE) },
	{ NULL, cred_profile_process,
	  CHOICE(CRED_AUTO) | CHOICE(CRED_PROFILE) | CHOICE(CRED_PROCESS) },
	{ NULL, cred_profile_config_keys,
	  CHOICE(CRED_AUTO) | CHOICE(CRED_PROFILE) },
	{ cred_container_read, NULL,
	  CHOICE(CRED_AUTO) | CHOICE(CRED_CONTAINER) },
	{ cred_imds_read, NULL, CHOICE(CRED_AUTO) | CHOICE(CRED_IMDS) },
};

static int take_step(struct search *s, size_t i, struct creds **out)
{
	bool token_in_env =
		s->env && cred_ask_env("AWS_WEB_IDENTITY_TOKEN_FILE");
	const struct aws_profile *p;

	if (steps[i].read)
		return steps[i].read(s->ask, out);
	if (!s->looked)
		look(s);
	p = s->profile_rc ? NULL : &s->profile;
	if (s->profile_rc && s->profile_rc != -ENOENT)
		return s->profile_rc;
	if (steps[i].of_profile)
		return p ? steps[i].of_profile(s->ask, p, out) : -ENOENT;
	return p || token_in_env
		       ? cred_profile_web_identity(s->ask, p, s->env, out)
		       : -ENOENT;
}

/* Nothing of the kind in a profile that is there: what would it be? */
static int say_nothing(struct search *s, enum cred_choice choice)
{
	static const char *const wants[] = {
		[CRED_AUTO] = "aws_access_key_id",
		[CRED_PROFILE] = "aws_access_key_id",
		[CRED_PROCESS] = "credential_process",
		[CRED_WEB_IDENTITY] = "web_identity_token_file",
		[CRED_SSO] = "sso_account_id",
		[CRED_IMDS] = NULL,
	};
	const struct aws_profile *p = &s->profile;

	if (!s->looked || s->profile_rc || !wants[choice])
		return -ENOENT;
	if (choice != CRED_PROCESS && choice != CRED_WEB_IDENTITY &&
	    (p->values[AWS_KEY_SSO_SESSION] ||
	     p->values[AWS_KEY_SSO_START_URL]))
		return cred_ask_fail(
			s->ask, -EINVAL,
			"profile %s: sso_account_id and sso_role_name "
			"are missing beside %s",
			p->name,
			p->values[AWS_KEY_SSO_SESSION] ? "sso_session"
						       : "sso_start_url");
	return cred_ask_fail(s->ask, -ENOENT, "profile %s: %s is missing",
			     p->name, wants[choice]);
}

static int read_choice(struct search *s, enum cred_choice choice,
		       struct creds **out)
{
	int rc = -ENOENT;

	s->env = choice != CRED_PROFILE;
	for (size_t i = 0; i < LEN(steps) && rc == -ENOENT; i++) {
		if (!(steps[i].choices & CHOICE(choice)))
			continue;
		/* Behind the last step of a profile without anything. */
		if (choice == CRED_AUTO && i && steps[i].read &&
		    !steps[i - 1].read)
			rc = say_nothing(s, choice);
		if (rc == -ENOENT)
			rc = take_step(s, i, out);
	}
	if (rc == -ENOENT && choice != CRED_AUTO)
		rc = say_nothing(s, choice);
	return rc;
}

int cred_chain_read(struct cred_ask *ask, const struct cred_order *order,
		    int64_t *stamp, struct creds **out)
{
	struct search s = {
		.ask = ask,
		.name = *order->profile ? order->profile : NULL,
	};
	int rc = -ENOENT;

	*out = NULL;
	for (unsigned i = 0; i < order->n && rc == -ENOENT; i++)
		rc = read_choice(&s, order->choices[i], out);
	*stamp = s.profile.stamp;
	aws_profile_clear(&s.profile);
	return rc;
}
