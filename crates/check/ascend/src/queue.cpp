// Queues: which buffer AllocTensor gives, in which order DeQue returns them, and what is wrong in a use of them.

#include <port_ascend/pipe.h>

namespace AscendC {

using namespace port_ascend;

void PortQueue::initialise(Space space, uint32_t buffers, uint32_t bytes, Site site) {
    if (buffers == 0 || bytes == 0) {
        report("empty-buffer", "InitBuffer", site, "%u buffers of %u bytes", buffers, bytes);
        stop_core();
    }
    number = int(buffers > 64 ? 64 : buffers);
    bytes = (bytes + 31) / 32 * 32;
    buffer_bytes = bytes;
    first = -1;
    head = count = next = taken = 0;
    for (int i = 0; i < number; ++i) {
        uint32_t offset = allocate(space, bytes, "InitBuffer", site);
        int index = queue_buffer(space, offset, bytes);
        if (first < 0) first = index;
    }
}

int PortQueue::take(const char* call, int limit, Pipe producer, Site site) {
    core->call = call;
    core->site = site;
    core->free_at[pipe_s] += 4;
    if (first < 0) {
        report("no-init-buffer", call, site, "InitBuffer was not called for this queue");
        stop_core();
    }
    for (int i = 0; i < limit; ++i) {
        int at = (next + i) % number;
        QueueBuffer& buffer = queue_buffer_at(first + at);
        if (buffer.state != 0) continue;
        next = (at + 1) % number;
        buffer.state = 1;
        buffer.call = call_id(call, site);
        ++taken;
        if (buffer.was_freed) wait_clock(producer, buffer.freed);
        core->pending_uninitialised = false;
        leave_unwritten(Space(buffer.space), buffer.offset, buffer.bytes);
        return first + at;
    }
    report("queue-full", call, site, "all %d buffers of the queue are in use: the core hangs here; FreeTensor what DeQue gave, or give InitBuffer more buffers", number);
    stop_core();
}

void PortQueue::enqueue(int index, int depth, Pipe producer, Site site) {
    core->call = "EnQue";
    core->site = site;
    ++core->counters.syncs;
    core->free_at[pipe_s] += 4;
    if (index < first || index >= first + number || first < 0) {
        report("queue-discipline", "EnQue", site, "this tensor was not allocated from this queue");
        return;
    }
    QueueBuffer& buffer = queue_buffer_at(index);
    if (buffer.state == 2) {
        report("queue-discipline", "EnQue", site, "this tensor is in the queue already");
        return;
    }
    if (buffer.state == 0) {
        report("queue-discipline", "EnQue", site, "this tensor was freed (or never allocated)");
        return;
    }
    int most = depth > 0 ? depth : 1;
    if (count >= most) {
        report("queue-discipline", "EnQue", site, "%d tensors in a queue of depth %d: DeQue before the next EnQue, or declare the queue deeper", count + 1, most);
        if (count >= 64) return;
    }
    buffer.state = 2;
    buffer.queued = clock_of(producer);
    buffer.was_queued = true;
    waiting[(head + count) % 64] = index;
    ++count;
    --taken;
}

int PortQueue::dequeue(Pipe consumer, Site site) {
    core->call = "DeQue";
    core->site = site;
    ++core->counters.syncs;
    core->free_at[pipe_s] += 4;
    if (count == 0) {
        report("queue-discipline", "DeQue", site, "the queue is empty: the core hangs here; EnQue comes first");
        stop_core();
    }
    int index = waiting[head];
    head = (head + 1) % 64;
    --count;
    QueueBuffer& buffer = queue_buffer_at(index);
    buffer.state = 3;
    ++taken;
    wait_clock(consumer, buffer.queued);
    return index;
}

void PortQueue::release(int index, Pipe consumer, Site site) {
    core->call = "FreeTensor";
    core->site = site;
    core->free_at[pipe_s] += 4;
    if (index < first || index >= first + number || first < 0) {
        report("queue-discipline", "FreeTensor", site, "this tensor was not allocated from this queue");
        return;
    }
    QueueBuffer& buffer = queue_buffer_at(index);
    if (buffer.state == 0) {
        report("queue-discipline", "FreeTensor", site, "this tensor is free already");
        return;
    }
    if (buffer.state == 2) {
        report("queue-discipline", "FreeTensor", site, "this tensor is in the queue: DeQue comes first");
        return;
    }
    buffer.state = 0;
    // The next producer of the buffer waits for the consumer; after an AllocTensor without EnQue there is none.
    buffer.freed = clock_of(consumer);
    buffer.was_freed = true;
    --taken;
}

}  // namespace AscendC
