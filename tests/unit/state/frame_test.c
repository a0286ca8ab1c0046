#include "kit.h"

#include "state/state.h"

static void add_frame(struct text *out, uint16_t kind, const char *body)
{
    size_t start = state_frame_begin(out, kind, 7);
    text_add_string(out, body);
    state_frame_end(out, start);
}

TEST(frames_follow_one_another)
{
    struct text stored = {0};
    add_frame(&stored, 1, "first");
    add_frame(&stored, 2, "");
    struct bytes in = text_view(&stored);
    struct state_frame frame;
    struct error err = {0};
    CHECK_INT(state_frame_read(&in, &frame, &err), E_OK);
    CHECK_INT(frame.kind, 1);
    CHECK_INT(frame.layout, 7);
    CHECK(bytes_equal_string(frame.body, "first"));
    CHECK_INT(state_frame_read(&in, &frame, &err), E_OK);
    CHECK_INT(frame.kind, 2);
    CHECK_INT(frame.body.size, 0);
    CHECK_INT(in.size, 0);
    text_free(&stored);
}

TEST(frame_sees_every_flipped_bit_and_every_cut)
{
    struct text stored = {0};
    add_frame(&stored, 1, "some state");
    struct state_frame frame;
    struct error err = {0};
    for (size_t i = 0; i < stored.size * 8; i++) {
        stored.data[i / 8] = (char)(stored.data[i / 8] ^ (1 << i % 8));
        struct bytes in = text_view(&stored);
        CHECK_INT(state_frame_read(&in, &frame, &err), E_CORRUPT);
        stored.data[i / 8] = (char)(stored.data[i / 8] ^ (1 << i % 8));
    }
    for (size_t size = 0; size < stored.size; size++) {
        struct bytes in = bytes_of(stored.data, size);
        CHECK_INT(state_frame_read(&in, &frame, &err), E_CORRUPT);
        CHECK_INT(in.size, size);
    }
    text_free(&stored);
}

TEST(frame_names_what_is_wrong)
{
    struct text stored = {0};
    struct state_frame frame;
    struct error err = {0};
    add_frame(&stored, 1, "some state");
    struct bytes in = bytes_of(stored.data, 10);
    CHECK_INT(state_frame_read(&in, &frame, &err), E_CORRUPT);
    CHECK_STR(err.text, "stored state: 10 bytes cannot hold a frame");
    in = bytes_of(stored.data, 40);
    CHECK_INT(state_frame_read(&in, &frame, &err), E_CORRUPT);
    CHECK_STR(err.text, "stored state: a body of 10 bytes is cut off at 8");
    stored.data[30] = 'x';
    in = text_view(&stored);
    CHECK_INT(state_frame_read(&in, &frame, &err), E_CORRUPT);
    CHECK_STR(err.text, "stored state: the checksum of 34 bytes does not agree");
    stored.data[4] = 9;
    in = text_view(&stored);
    CHECK_INT(state_frame_read(&in, &frame, &err), E_CORRUPT);
    CHECK_STR(err.text, "stored state: version 9, this leat reads version 1");
    stored.data[0] = 'X';
    in = text_view(&stored);
    CHECK_INT(state_frame_read(&in, &frame, &err), E_CORRUPT);
    CHECK_STR(err.text, "stored state: does not start with LEST");
    text_free(&stored);
}
