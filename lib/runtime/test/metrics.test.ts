import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createMetrics } from '@gatehouse/runtime/metrics';

describe('metrics', () => {
  test('carry the prefix, labels and values', async () => {
    const metrics = createMetrics();
    metrics.counter({ name: 'requests_total', help: 'h', labels: ['outcome'] }).inc({ outcome: 'issued' }, 2);
    metrics.gauge({ name: 'queue', help: 'h' }).set(3);
    metrics.histogram({ name: 'duration_seconds', help: 'h', buckets: [0.1, 1] }).observe(0.5);
    const text = await metrics.registry.metrics();
    assert.match(text, /^gatehouse_requests_total\{outcome="issued"\} 2$/m);
    assert.match(text, /^gatehouse_queue 3$/m);
    assert.match(text, /^gatehouse_duration_seconds_bucket\{le="0.1"\} 0$/m);
    assert.match(text, /^gatehouse_duration_seconds_bucket\{le="1"\} 1$/m);
  });

  test('of a gauge may be read at the scrape', async () => {
    const metrics = createMetrics('x_');
    let value = 1;
    metrics.gauge({ name: 'rows', help: 'h', collect: (gauge) => gauge.set(value) });
    value = 7;
    assert.match(await metrics.registry.metrics(), /^x_rows 7$/m);
  });

  test('of a counter may be brought up to date at the scrape', async () => {
    const metrics = createMetrics('x_');
    let since = 5;
    metrics.counter({
      name: 'answers_total',
      help: 'h',
      labels: ['kind'],
      collect: (counter) => {
        counter.labels('a').inc(since);
        since = 0;
      },
    });
    assert.match(await metrics.registry.metrics(), /^x_answers_total\{kind="a"\} 5$/m);
    since = 2;
    assert.match(await metrics.registry.metrics(), /^x_answers_total\{kind="a"\} 7$/m);
  });

  test('include those of the process', async () => {
    assert.match(await createMetrics().registry.metrics(), /^process_resident_memory_bytes \d+$/m);
  });

  test('of two processes in one program do not mix', async () => {
    const [first, second] = [createMetrics(), createMetrics()];
    first.counter({ name: 'a_total', help: 'h' }).inc();
    second.counter({ name: 'a_total', help: 'h' });
    assert.match(await second.registry.metrics(), /^gatehouse_a_total 0$/m);
  });
});
