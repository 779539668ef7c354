"""Operations in AWS: deploy, keys and flags, key rotation, monthly report, audit."""
