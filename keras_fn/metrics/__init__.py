"""stub until helper"""
class Metric:
    pass
