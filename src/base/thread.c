#include "base/thread.h"

#include <time.h>

#include "base/error.h"
#include "base/memory.h"

void thread_start(struct thread *self, const char *name, void *(*run)(void *), void *argument)
{
    always(pthread_create(&self->id, NULL, run, argument) == 0);
    pthread_setname_np(self->id, name);
    self->running = true;
}

void *thread_join(struct thread *self)
{
    void *result = NULL;
    if (self->running)
        always(pthread_join(self->id, &result) == 0);
    self->running = false;
    return result;
}

int64_t thread_cpu_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void lock_init(struct lock *self)
{
    pthread_condattr_t monotonic;
    always(pthread_condattr_init(&monotonic) == 0);
    always(pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0);
    always(pthread_mutex_init(&self->mutex, NULL) == 0);
    always(pthread_cond_init(&self->changed, &monotonic) == 0);
    pthread_condattr_destroy(&monotonic);
}

void lock_close(struct lock *self)
{
    pthread_cond_destroy(&self->changed);
    pthread_mutex_destroy(&self->mutex);
}

void lock_take(struct lock *self) { always(pthread_mutex_lock(&self->mutex) == 0); }

void lock_give(struct lock *self) { always(pthread_mutex_unlock(&self->mutex) == 0); }

bool lock_wait(struct lock *self, int64_t wait_us)
{
    if (wait_us < 0)
        return pthread_cond_wait(&self->changed, &self->mutex) == 0;
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t ns = until.tv_nsec + (wait_us % 1000000) * 1000;
    until.tv_sec += wait_us / 1000000 + ns / 1000000000;
    until.tv_nsec = ns % 1000000000;
    return pthread_cond_timedwait(&self->changed, &self->mutex, &until) == 0;
}

void lock_wake(struct lock *self) { pthread_cond_broadcast(&self->changed); }

void queue_init(struct queue *self, uint32_t capacity)
{
    *self = (struct queue){.capacity = capacity, .items = mem_array(void *, capacity)};
    lock_init(&self->lock);
}

bool queue_put(struct queue *self, void *item)
{
    lock_take(&self->lock);
    while (self->count == self->capacity && !self->closed)
        lock_wait(&self->lock, -1);
    bool put = !self->closed;
    if (put) {
        self->items[(self->first + self->count) % self->capacity] = item;
        self->count++;
        lock_wake(&self->lock);
    }
    lock_give(&self->lock);
    return put;
}

void *queue_get(struct queue *self, int64_t wait_us)
{
    void *item = NULL;
    lock_take(&self->lock);
    while (self->count == 0 && !self->closed)
        if (!lock_wait(&self->lock, wait_us) && wait_us >= 0)
            break;
    if (self->count > 0) {
        item = self->items[self->first];
        self->first = (self->first + 1) % self->capacity;
        self->count--;
        lock_wake(&self->lock);
    }
    lock_give(&self->lock);
    return item;
}

void queue_close(struct queue *self)
{
    lock_take(&self->lock);
    self->closed = true;
    lock_wake(&self->lock);
    lock_give(&self->lock);
}

void queue_open(struct queue *self)
{
    lock_take(&self->lock);
    self->closed = false;
    lock_give(&self->lock);
}

void queue_free(struct queue *self)
{
    lock_close(&self->lock);
    mem_free(self->items);
    *self = (struct queue){0};
}
