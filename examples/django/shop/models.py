from django.db import models


class Nonce(models.Model):
    value = models.CharField(max_length=128, primary_key=True)
    received = models.DateTimeField(auto_now_add=True)


class Order(models.Model):
    part = models.TextField()
