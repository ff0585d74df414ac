"""What the guide's functions import before their handler, and an empty handler."""

import json
import os

import boto3
import psycopg2.pool
import redis


def lambda_handler(event, context):
    return {"statusCode": 200, "body": json.dumps({"memory": os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]})}
