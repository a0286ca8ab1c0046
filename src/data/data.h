/* data.h - what types, columns, batches and rejects are. The folder's one public header. */
#ifndef DATA_DATA_H
#define DATA_DATA_H

#include "data/batch.h"
#include "data/buffer.h"
#include "data/builder.h"
#include "data/column.h"
#include "data/decimal.h"
#include "data/interval.h"
#include "data/lineage.h"
#include "data/reject.h"
#include "data/room.h"
#include "data/row_test.h"
#include "data/show.h"
#include "data/timestamp.h"
#include "data/type.h"
#include "data/variant_build.h"
#include "data/variant.h"

#endif
