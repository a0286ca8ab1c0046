/* thread.h - threads, locks and a bounded queue. Only runtime, web and cli start threads.
 *
 * Fails    creating a thread or lock that the system refuses aborts: there is no way to go on
 * Thread   all functions: any, except queue_free (after the last user)
 */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct thread {
    pthread_t id;
    bool running;
};
/* `name` is at most 15 bytes; it shows in top and perf. */
void thread_start(struct thread *self, const char *name, void *(*run)(void *), void *argument);
void *thread_join(struct thread *self);
/* CPU time of the calling thread, microseconds. */
int64_t thread_cpu_us(void);

struct lock {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
};
void lock_init(struct lock *self);
void lock_close(struct lock *self);
void lock_take(struct lock *self);
void lock_give(struct lock *self);
/* Wait for lock_wake. Returns false when wait_us passed first; wait_us < 0 waits for ever. */
bool lock_wait(struct lock *self, int64_t wait_us);
void lock_wake(struct lock *self); /* wakes all */

/* A bounded queue of pointers; a full queue makes the writer wait: that is the back-pressure. */
struct queue {
    struct lock lock;
    void **items;
    uint32_t capacity, count, first;
    bool closed;
};
void queue_init(struct queue *self, uint32_t capacity);
/* False when the queue was closed meanwhile: the item still belongs to the caller. */
bool queue_put(struct queue *self, void *item);
/* NULL when wait_us passed, or when the queue is closed and empty. wait_us < 0 waits for ever. */
void *queue_get(struct queue *self, int64_t wait_us);
void queue_close(struct queue *self);
void queue_open(struct queue *self); /* undo queue_close */
void queue_free(struct queue *self); /* items left inside are the caller's to take out first */

#endif
