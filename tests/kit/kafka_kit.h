/* kafka_kit.h - tests that create a librdkafka client. */
#ifndef KAFKA_KIT_H
#define KAFKA_KIT_H

#include "kit.h"

/* librdkafka starts its threads with C11's thrd_create, which gcc 12's thread sanitizer does not see, and then crashes in
 * them: skipped there. */
#ifdef __SANITIZE_THREAD__
#define KAFKA_TEST(name)                                                                   \
    TEST(name) { kit_skip("librdkafka's threads are invisible to the thread sanitizer"); } \
    __attribute__((unused)) static void skipped_##name(void)
#else
#define KAFKA_TEST(name) TEST(name)
#endif

#endif
