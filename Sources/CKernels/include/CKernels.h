#pragma once
#include "pl_scan.h"
#include "pl_codes.h"
#include "pl_codes_batch.h"
#include "pl_dense.h"
#include "pl_linear.h"
#include "pl_sha256.h"
#include "pl_crc32c.h"
