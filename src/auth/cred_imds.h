/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credentials of the EC2 instance that we run on (IMDSv2).
 *
 * Source: Amazon EC2 User Guide, "Use the Instance Metadata Service to access
 * instance metadata"; AWS SDKs and Tools Reference Guide, "IMDS credential
 * provider". AWS_EC2_METADATA_DISABLED, AWS_EC2_METADATA_V1_DISABLED,
 * AWS_EC2_METADATA_SERVICE_ENDPOINT and _ENDPOINT_MODE are observed.
 */
#ifndef AUTH_CRED_IMDS_H
#define AUTH_CRED_IMDS_H

#include "auth/cred_ask.h"

/* -ENOENT too where no server answers, or no role is attached. */
cred_provider cred_imds_read;

#endif
