from requests import Response

class InvalidResponse(Exception):
    response: Response
    def __init__(self, response: Response, *args: object) -> None: ...

class DataCorruption(Exception):
    response: Response
    def __init__(self, response: Response, *args: object) -> None: ...
