noinst_LIBRARIES += libauth.a
libauth_a_SOURCES = \
	src/auth/aws_profile.c src/auth/aws_profile.h \
	src/auth/cred_ask.c src/auth/cred_ask.h \
	src/auth/cred_cache.c src/auth/cred_cache.h \
	src/auth/cred_chain.c src/auth/cred_chain.h \
	src/auth/cred_container.c src/auth/cred_container.h \
	src/auth/cred_env.c src/auth/cred_env.h \
	src/auth/cred_fields.c src/auth/cred_fields.h \
	src/auth/cred_imds.c src/auth/cred_imds.h \
	src/auth/cred_plan.c src/auth/cred_plan.h \
	src/auth/cred_process.c src/auth/cred_process.h \
	src/auth/cred_profile.c src/auth/cred_profile.h \
	src/auth/cred_refresh.c src/auth/cred_refresh.h \
	src/auth/cred_sso.c src/auth/cred_sso.h \
	src/auth/cred_sts.c src/auth/cred_sts.h \
	src/auth/creds.c src/auth/creds.h \
	src/auth/signer.c src/auth/signer.h
