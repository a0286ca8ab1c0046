#include "base/thread.h"

#include "kit.h"

enum { ITEMS = 2000 };

static void *producer(void *argument)
{
    struct queue *queue = argument;
    for (intptr_t i = 1; i <= ITEMS; i++)
        if (!queue_put(queue, (void *)i))
            return (void *)i;
    queue_close(queue);
    return NULL;
}

TEST(a_queue_keeps_order_and_ends_when_closed)
{
    struct queue queue;
    struct thread thread;
    queue_init(&queue, 3);
    thread_start(&thread, "producer", producer, &queue);
    for (intptr_t i = 1; i <= ITEMS; i++)
        CHECK(queue_get(&queue, -1) == (void *)i);
    CHECK(queue_get(&queue, -1) == NULL);
    CHECK(thread_join(&thread) == NULL);
    queue_free(&queue);
}

TEST(a_closed_queue_refuses_but_can_be_emptied)
{
    struct queue queue;
    queue_init(&queue, 2);
    CHECK(queue_put(&queue, "a"));
    queue_close(&queue);
    CHECK(!queue_put(&queue, "b"));
    CHECK_STR((const char *)queue_get(&queue, 0), "a");
    CHECK(queue_get(&queue, 1000) == NULL);
    queue_open(&queue);
    CHECK(queue_put(&queue, "c"));
    CHECK_STR((const char *)queue_get(&queue, 0), "c");
    CHECK(queue_get(&queue, 1000) == NULL);
    queue_free(&queue);
}
