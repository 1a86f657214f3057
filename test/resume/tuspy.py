"""Uploads a file with tuspy, beginning again where it was for as long as it takes: python3 tuspy.py ENDPOINT FILE NAME"""

import sys
import time

from tusclient import client

endpoint, path, name = sys.argv[1:]
url = None
for _ in range(2000):
    try:
        uploader = client.TusClient(endpoint).uploader(
            path, url=url, chunk_size=12_000_000, metadata={"filename": name}
        )
        if url is None:
            uploader.set_url(uploader.create_url())
            url = uploader.url
        uploader.upload()
        print(url)
        sys.exit(0)
    except Exception as error:
        print(type(error).__name__, error, file=sys.stderr)
        time.sleep(0.05)
sys.exit(1)
