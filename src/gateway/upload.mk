# The upload API.
