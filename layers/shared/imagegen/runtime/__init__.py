"""A Lambda runtime client that sends an answer while it is being made.

AWS's client for Python sends an answer when it is complete. The function whose answers are streams
of events runs on this one instead (``layers/shared/streaming`` starts it). Its contract is small: a
handler's answer may have an iterator of texts as its ``body``. Standard library only.

Sources: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html and
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html#runtimes-custom-response-streaming
"""
