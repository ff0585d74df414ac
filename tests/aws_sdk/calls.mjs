// CloudWatch (rpc-v2-cbor, and JSON), S3 and Lambda as AWS's SDK for JavaScript speaks them. The endpoint and the keys
// are those of the environment; what does not hold ends it with the reason.
import assert from 'node:assert/strict';
import {Readable} from 'node:stream';
import {
  CloudWatchClient, DeleteAlarmsCommand, DescribeAlarmsCommand, GetMetricDataCommand, PutMetricAlarmCommand, PutMetricDataCommand,
} from '@aws-sdk/client-cloudwatch';
import {AwsSmithyRpcV2CborProtocol} from '@aws-sdk/core/protocols';
import {
  CreateFunctionCommand, DeleteFunctionCommand, GetFunctionCommand, InvokeCommand, LambdaClient,
} from '@aws-sdk/client-lambda';
import {
  CreateBucketCommand, DeleteObjectsCommand, GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client,
} from '@aws-sdk/client-s3';

const settings = {region: 'us-east-1', endpoint: process.env.AWS_ENDPOINT_URL, forcePathStyle: true, maxAttempts: 1};
const sleep = milliseconds => new Promise(done => setTimeout(done, milliseconds));

async function refused(name, promise) {
  await assert.rejects(promise, error => {
    assert.equal(error.name, name, `${error.name}: ${error.message}`);
    assert.ok(error.$metadata.requestId);
    return true;
  });
}

async function cloudwatch(client, name) {
  const time = new Date(Math.floor(Date.now() / 60000) * 60000 - 120000);
  const Dimensions = [{Name: 'Sdk', Value: `javascript ${name} "&"`}];
  await client.send(new PutMetricDataCommand({Namespace: 'Sdk', MetricData: [
    {MetricName: 'Latency', Dimensions, Timestamp: time, Unit: 'Milliseconds', Values: [1, 2.25, 4], Counts: [1, 2, 1]}]}));
  const query = new GetMetricDataCommand({
    StartTime: time, EndTime: new Date(time.getTime() + 60000), MetricDataQueries: [
      {Id: 'm1', MetricStat: {Metric: {Namespace: 'Sdk', MetricName: 'Latency', Dimensions}, Period: 60, Stat: 'Sum'}}]});
  let found;
  for (let i = 0; i < 50 && !(found?.Values.length); ++i) {
    [found] = (await client.send(query)).MetricDataResults;
    await sleep(100);
  }
  assert.deepEqual(found.Values, [9.5]);
  assert.equal(found.Timestamps[0].getTime(), time.getTime());
  await client.send(new PutMetricAlarmCommand({
    AlarmName: name, Namespace: 'Sdk', MetricName: 'Latency', Dimensions, Statistic: 'Sum', Period: 60,
    EvaluationPeriods: 1, Threshold: 0.5, ComparisonOperator: 'GreaterThanThreshold'}));
  const [alarm] = (await client.send(new DescribeAlarmsCommand({AlarmNames: [name]}))).MetricAlarms;
  assert.equal(alarm.Threshold, 0.5);
  assert.ok(alarm.StateUpdatedTimestamp instanceof Date);
}

async function s3(client) {
  const Bucket = 'javascript';
  await client.send(new CreateBucketCommand({Bucket}));
  // A stream goes as aws-chunked, with its checksum in the trailer.
  const bytes = Buffer.alloc(200_000, 'x');
  await client.send(new PutObjectCommand({
    Bucket, Key: 'a/é b+c', Body: Readable.from([bytes.subarray(0, 70_000), bytes.subarray(70_000)]),
    ContentLength: bytes.length, Metadata: {kind: 'stream'}}));
  await client.send(new PutObjectCommand({Bucket, Key: 'text', Body: 'text', ChecksumAlgorithm: 'SHA256'}));
  const got = await client.send(new GetObjectCommand({Bucket, Key: 'a/é b+c'}));
  assert.deepEqual(Buffer.from(await got.Body.transformToByteArray()), bytes);
  assert.deepEqual(got.Metadata, {kind: 'stream'});
  assert.deepEqual((await client.send(new ListObjectsV2Command({Bucket}))).Contents.map(one => one.Key),
      ['a/é b+c', 'text']);
  await refused('NoSuchKey', client.send(new GetObjectCommand({Bucket, Key: 'none'})));
  const gone = await client.send(new DeleteObjectsCommand({Bucket, Delete: {Objects: [{Key: 'text'}, {Key: 'a/é b+c'}]}}));
  assert.equal(gone.Deleted.length, 2);
}

async function lambda(client) {
  const FunctionName = 'javascript';
  await client.send(new CreateFunctionCommand({
    FunctionName, Runtime: 'python3.11', Role: 'arn:aws:iam::123456789012:role/any', Handler: 'app.handler',
    Code: {ZipFile: Buffer.from(process.env.ZIP, 'base64')}}));
  const answer = await client.send(new InvokeCommand({FunctionName, Payload: JSON.stringify({n: 41}), LogType: 'Tail'}));
  assert.equal(answer.Payload.transformToString(), '42');
  assert.match(Buffer.from(answer.LogResult, 'base64').toString(), /REPORT RequestId/);
  const {Code} = await client.send(new GetFunctionCommand({FunctionName}));
  const zip = Buffer.from(await (await fetch(Code.Location)).arrayBuffer());
  assert.equal(zip.toString('base64'), process.env.ZIP);
  await client.send(new DeleteFunctionCommand({FunctionName}));
  await refused('ResourceNotFoundException', client.send(new InvokeCommand({FunctionName})));
}

await cloudwatch(new CloudWatchClient({...settings, protocol: AwsSmithyRpcV2CborProtocol}), 'cbor');
await cloudwatch(new CloudWatchClient(settings), 'default');
await refused('ResourceNotFound', new CloudWatchClient({...settings, protocol: AwsSmithyRpcV2CborProtocol})
    .send(new DeleteAlarmsCommand({AlarmNames: ['none']})));
await s3(new S3Client(settings));
await lambda(new LambdaClient(settings));
console.log(`node ${process.version}: all held`);
