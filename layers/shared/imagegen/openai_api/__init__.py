"""OpenAI's image routes under ``/v1``: request and response models, retries, the purchase."""
