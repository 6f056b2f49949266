from django.urls import path

from shop.views import webhook

urlpatterns = [path("webhook/", webhook)]
