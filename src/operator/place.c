#include "operator/place.h"

#include "base/hash.h"

/* Neighbours share their topic, so its hash is computed once for a run of rows. */
void places_find(const struct batch *in, struct row_place *out)
{
    const struct origin *origin = in->source;
    if (origin == NULL || origin->offset.values == NULL || origin->topic.offsets == NULL) {
        memset(out, 0, (size_t)in->rows * sizeof *out);
        return;
    }
    const int32_t *partitions = column_values(&origin->partition, const int32_t);
    const int64_t *offsets = column_values(&origin->offset, const int64_t);
    struct bytes topic = {0};
    uint32_t hash = 0;
    for (int64_t i = 0; i < in->rows; i++) {
        int64_t record = batch_origin(in, i);
        struct bytes own = column_bytes_at(&origin->topic, record);
        if (topic.data == NULL || !bytes_equal(own, topic)) {
            topic = own;
            hash = (uint32_t)hash_bytes(own.data, own.size);
        }
        out[i] = (struct row_place){offsets[record], partitions[record], hash};
    }
}
